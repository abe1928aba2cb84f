"""Tasks and their assignments."""
