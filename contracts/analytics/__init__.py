"""Events of the analytics service."""
