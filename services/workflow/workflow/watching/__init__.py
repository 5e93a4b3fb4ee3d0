"""Who watches a job or a task, and is told when something happens to it."""
