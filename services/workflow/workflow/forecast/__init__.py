"""When a job will be done at the planned pace, along which path, and from which day on that is too late."""
