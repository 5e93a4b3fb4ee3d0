"""Saved views: what somebody wants to see again, for themselves or for everybody."""
