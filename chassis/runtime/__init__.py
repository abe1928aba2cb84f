"""Processes and functions, and the one composition root."""
