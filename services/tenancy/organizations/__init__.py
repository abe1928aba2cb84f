"""Organizations: their name, settings, status, owners and seats."""
