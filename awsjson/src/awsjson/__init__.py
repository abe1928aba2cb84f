"""An async client for AWS's JSON-protocol services (DynamoDB, SQS, EventBridge, KMS, Cognito, SSM...)."""

from awsjson.client import AwsJson
from awsjson.config import Config, CredentialSource, Faults, StaticCredentials
from awsjson.errors import (
    AwsError,
    CancellationReason,
    ConditionFailed,
    ConfigurationError,
    ConnectionFailed,
    CredentialsUnavailable,
    DeadlineExceeded,
    Throttled,
    TransactionCancelled,
)

__all__ = (
    "AwsError",
    "AwsJson",
    "CancellationReason",
    "ConditionFailed",
    "Config",
    "ConfigurationError",
    "ConnectionFailed",
    "CredentialSource",
    "CredentialsUnavailable",
    "DeadlineExceeded",
    "Faults",
    "StaticCredentials",
    "Throttled",
    "TransactionCancelled",
)
