"""The engine without end: what `firnline run` is made of."""
