"""Profiles of registered users."""
