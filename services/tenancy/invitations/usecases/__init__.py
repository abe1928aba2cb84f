"""Use cases of invitations: offers, answers, and the expiry of those that nobody answers."""
