"""Imports of tasks from CSV files."""
