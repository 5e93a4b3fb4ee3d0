"""Schedules: the recurrence that makes jobs by itself."""
