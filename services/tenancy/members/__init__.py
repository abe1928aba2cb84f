"""Members of an organization: their roles and their permission overrides."""
