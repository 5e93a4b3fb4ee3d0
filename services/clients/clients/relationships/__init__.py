"""Relationships: what clients, and others, are to each other."""
