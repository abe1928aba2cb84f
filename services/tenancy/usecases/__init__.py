"""What tenancy does, one file a subject."""
