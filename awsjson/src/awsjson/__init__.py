"""An async client for AWS's JSON-protocol services (DynamoDB, SQS, EventBridge, KMS, Cognito, SSM...)."""

from awsjson.client import AwsJson
from awsjson.config import Client, Config, CredentialSource, Faults, StaticCredentials
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
from awsjson.threads import BotoThreads

__all__ = (
    "AwsError",
    "AwsJson",
    "BotoThreads",
    "CancellationReason",
    "Client",
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
