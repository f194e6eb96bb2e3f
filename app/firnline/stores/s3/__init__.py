"""Stores in buckets of S3, of Amazon or of whoever else speaks it."""
