"""Calendars of due dates that calendar programs subscribe to (RFC 5545)."""
