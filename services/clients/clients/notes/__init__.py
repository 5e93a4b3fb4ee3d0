"""Notes on clients."""
