"""Who does what, for which client, by when, and whether it is on track."""
