"""Everyone the firm works for: clients, their contacts, and what was agreed with them."""
