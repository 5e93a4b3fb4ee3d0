"""Search as you type over clients and contacts."""
