"""Operators' commands for what went wrong: dead letters, replays, rebuilt projections."""
