"""Automations: when something happens to a job, and if it is so, then this is done, by the worker, once."""
