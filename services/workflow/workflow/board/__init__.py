"""The board and the firm at a glance."""
