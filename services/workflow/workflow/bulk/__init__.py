"""One change to many tasks or jobs at once, with a result for each."""
