"""Attacks on the walls between organizations, generated from what the services declare."""
