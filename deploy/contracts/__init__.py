"""Contracts between services: changes and their consumers, generated documents, golden events."""
