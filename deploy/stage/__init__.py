"""Stages: previews, deployments, rollbacks and the state of what is deployed."""
