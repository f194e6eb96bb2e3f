"""The one place where the parts are joined, and what is told about their state."""
