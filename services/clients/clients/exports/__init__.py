"""Everything of clients as files that can be brought in again, written while they are read."""
