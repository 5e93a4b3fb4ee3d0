"""Scenarios measured against a bound in the same run on the same machine: `./praxis bench NAME`. See README.md."""
