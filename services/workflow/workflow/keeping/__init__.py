"""What is kept how long: what automations saw and did, and what became of runs, a year."""
