"""Events of the files service."""
