"""Contracts: all that services may know about each other."""
