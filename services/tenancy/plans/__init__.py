"""Plans: the change of an organization's plan, and with it of its limits."""
