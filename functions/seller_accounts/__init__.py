"""What the four handlers share: settings, telemetry and, in folders by concern, everything else."""
