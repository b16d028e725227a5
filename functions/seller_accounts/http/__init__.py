"""HTTP: events and responses of API Gateway, callers, representations, problems and pages."""
