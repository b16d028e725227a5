"""Network: bounded connecting and a session that keeps a deadline."""
