"""What changes in a directory tree, as it happens. Knows nothing of folders, stores or events."""
