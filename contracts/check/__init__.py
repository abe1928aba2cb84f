"""The rules by which a contract may change: pure functions of JSON Schemas, for `deploy.contracts` and for tests."""
