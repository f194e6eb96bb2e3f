"""Firnline keeps folders equal on several devices through stores, with every version in the log."""

__version__ = "0.1.0"
