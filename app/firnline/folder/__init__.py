"""The user's files: what has changed there, and how changes are put there safely."""
