"""Tasks: the steps of jobs."""
