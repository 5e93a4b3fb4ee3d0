"""Merging clients that are one: the duplicate's things become the survivor's, and its id keeps leading there."""
