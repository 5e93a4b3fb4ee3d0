"""Capacity: who has how much to do in which week, who could take what, what would break, and how to level it."""
