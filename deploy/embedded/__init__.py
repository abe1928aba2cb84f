"""The embedded AWS: ministack, run from an environment of its own."""
