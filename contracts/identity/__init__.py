"""Events of the identity service."""
