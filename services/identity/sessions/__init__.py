"""Sign-in, token refresh, sign-out, and the organization that a session works in."""
