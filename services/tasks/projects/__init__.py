"""Projects, and the numbers of their tasks."""
