"""Reports: where open work stands, who has how much of it, and how what was delivered went."""
