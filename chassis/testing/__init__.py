"""Hand-written fakes and helpers for the tests of services. Never imported by a running service."""
