"""Events of the audit service."""
