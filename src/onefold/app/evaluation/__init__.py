"""Everybody's counts, values and memberships brought up to definitions that changed or to time that passed."""
