"""Around every store on a server: what failed is called again, by all callers together, and a login
that is refused is not tried on and on."""
