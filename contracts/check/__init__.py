"""Compatibility rules for contracts: pure functions of JSON Schemas, for `deploy.contracts` and for tests."""
