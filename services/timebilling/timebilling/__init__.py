"""Time and billing: from a minute worked to a payment received."""
