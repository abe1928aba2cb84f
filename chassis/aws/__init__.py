"""Adapters of AWS: the client, DynamoDB, EventBridge, KMS, Secrets Manager."""
