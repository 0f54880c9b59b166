"""OpenCode: the server we supervise, its HTTP interface, and turns that are taken once."""
