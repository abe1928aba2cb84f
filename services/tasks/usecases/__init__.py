"""What tasks does, one file a use case."""
