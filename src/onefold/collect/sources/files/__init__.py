"""Files that records are read from, in batches with positions, whatever their size."""
