"""From a queue message to its handler, in a worker and in a function."""
