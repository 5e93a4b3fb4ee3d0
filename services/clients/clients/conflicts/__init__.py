"""Conflict checks: whether a name is, or was, anybody the firm has to do with."""
