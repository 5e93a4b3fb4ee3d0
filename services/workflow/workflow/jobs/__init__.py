"""Jobs: one delivery of work for one client, with a status derived from everything in it."""
