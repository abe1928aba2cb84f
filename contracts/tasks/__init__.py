"""Events of the tasks service."""
