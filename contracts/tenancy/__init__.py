"""Events of the tenancy service."""
