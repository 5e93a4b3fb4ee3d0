"""Templates: recurring services as drafts and immutable published versions, and the plan each gives."""
