"""Onboarding: how an organization comes to be, made by a person or for one who registers."""
