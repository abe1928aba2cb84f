"""Sealing by the schedule, and verification on request."""
