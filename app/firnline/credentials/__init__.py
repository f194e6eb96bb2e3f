"""The secrets of stores: where they are kept, and where they are looked for."""
