"""Invitations: offers of membership, and the answers to them."""
