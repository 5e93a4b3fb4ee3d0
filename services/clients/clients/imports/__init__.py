"""Spreadsheets of clients and what belongs to them: brought in with a dry run, taken back as one act."""
