"""Onboarding: the creation of organizations, by people and for those who register."""
