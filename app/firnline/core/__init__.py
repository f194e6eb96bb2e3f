"""Decisions: pure values and functions, without input, output or a clock of their own."""
