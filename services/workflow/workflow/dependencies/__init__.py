"""What in a job waits for what."""
