"""Proves that no request makes a service crash or hang: generated ones, and bytes that no client library sends.

`python -m verification.fuzz [SERVICE...] --minutes 10` runs schemathesis on the OpenAPI document of each service, and
hostile requests beside it, for about the given time, plus up to two minutes per service to shrink what it found. It
prints a row per service (operations, requests, failures) and the requests that reproduce each failure.
"""
