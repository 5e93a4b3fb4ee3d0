"""What a client of the firm sees and does."""
