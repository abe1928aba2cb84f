"""What operators did by hand: its facts come from their commands, not from a service."""
