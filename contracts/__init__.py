"""What services may know of each other, and all that they may know."""
