"""What developers and operators run: the launcher, the demo firm, code generation."""
