"""Declarations: what a service is made of, from which everything else derives."""
