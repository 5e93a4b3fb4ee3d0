"""Engagements: what was agreed with a client, by whom and for which fee."""
