"""What this service remembers of others: staff and firm, and what was done for a client."""
