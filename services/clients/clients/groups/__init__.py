"""Groups: clients seen together, perhaps billed together."""
