"""Reproducible zips of the services' code and libraries."""
