"""The composition root: settings become foundations, foundations become a running pipeline.

Every function takes the settings, opens what it needs, and closes it again; commands and
API handlers are one line into here.
"""
