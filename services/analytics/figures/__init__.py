"""The figures of projects and people."""
