"""Definitions: read, checked, compared with what is in force, put in force, tested, and written back."""
