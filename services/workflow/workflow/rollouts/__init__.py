"""What differs between versions of a template, and bringing a version to jobs that nobody has begun."""
