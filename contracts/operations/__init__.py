"""Events of operators' manual actions. Their commands publish them, not a service."""
