"""Files brought in by hand: imported, rehearsed before, and taken back."""
