"""Accounts and households: groups of profiles with a golden record of their own."""
