"""AWS: clients, secrets and the table."""
