"""A mail sink for development: takes what the platform sends, shows it, delivers nothing."""
