"""Custom fields: what a firm keeps of its clients beyond what every firm does."""
