"""What this service remembers of firms, staff, clients, contacts, engagements, time and documents, which others own."""
