"""Checks before a deployment: templates, permissions, costs."""
