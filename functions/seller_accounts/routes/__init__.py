"""Routes: one module per function, each with its routes and the clients they use."""
