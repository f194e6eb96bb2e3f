"""What the user set: the configuration file, the places of a profile, logs and its lock."""
