"""The lake as questions and upkeep meet it: its files and waiting rows, relations over them, compaction."""
