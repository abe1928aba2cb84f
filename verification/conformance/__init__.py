"""Proves that the simulated bus and queues behave as those of moto and of the embedded AWS: one suite for all backends.

`pytest verification/conformance` runs it in less than a minute; it has no command of its own, since `make test` does.
"""
