"""What this device remembers between two passes, in SQLite."""
