"""Relative dates, business days, and how periods are named."""
