"""Applying a template to many clients at once: previewed as a whole, then made by the worker."""
