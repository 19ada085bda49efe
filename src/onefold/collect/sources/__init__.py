"""Systems of others that records are pulled from, a file each: they give batches and positions, and store neither."""
