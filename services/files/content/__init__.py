"""Content: which types are allowed, how they are recognized, and what is known about a content."""
