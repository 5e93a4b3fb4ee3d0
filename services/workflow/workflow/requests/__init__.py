"""Requests: what is asked of a client, item by item, and when they are reminded."""
