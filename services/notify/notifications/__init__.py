"""Notifications of events: an assignment, a mention, an invitation, a completed import."""
