"""Clients: persons and organisations the firm works for."""
