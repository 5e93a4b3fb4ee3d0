"""Calendars: holidays, closures of the firm, working weeks and leave of staff; who is there on which day, and for how long."""
