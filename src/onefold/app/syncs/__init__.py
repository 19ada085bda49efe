"""Sources that are pulled: run, scheduled, watched, and their records put into the log."""
