"""Where events are kept: the store protocol, its layout and one module for each kind."""
