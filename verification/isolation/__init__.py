"""Proves that no organization reaches another's data, by attacks that are generated from what the services declare.

`python -m verification.isolation [SERVICE ...]` attacks every route, subscription and repository method of the services
with the ids of another organization, in less than a minute. It prints a row per service with the numbers of attacks,
and fails on any leak and on anything that no attack covers. A new route is attacked without a change here; `seeds/` has
the data of both organizations for each service.
"""
