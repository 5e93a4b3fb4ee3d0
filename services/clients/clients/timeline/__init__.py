"""The timeline: what happened with a client, in every service."""
