"""Reading the log: what happened, and what was there at a time."""
