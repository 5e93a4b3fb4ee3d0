"""A service just large enough to exercise the chassis."""
