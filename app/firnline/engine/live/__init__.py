"""The engine without end: one loop that only schedules, and a thread for whatever blocks."""
