"""Runs: acts on many clients or jobs at once, done by the worker in chunks, with what happened to each."""
