"""The worker: reads the log, runs the pipeline, and keeps time windows true."""
