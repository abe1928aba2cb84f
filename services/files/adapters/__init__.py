"""Adapters of the ports: S3, and the process that inspects files."""
