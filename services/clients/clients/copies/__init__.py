"""What this service remembers of firms and staff, whom identity owns."""
