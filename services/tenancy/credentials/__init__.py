"""Credentials for other platforms, which an organization stores with us."""
