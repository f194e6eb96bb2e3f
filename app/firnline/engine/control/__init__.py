"""A command that changes things is handed to the Firnline that runs: one socket, a few frames."""
