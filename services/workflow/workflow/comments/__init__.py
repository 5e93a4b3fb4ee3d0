"""Comments: what people say to each other about a job or one of its tasks."""
