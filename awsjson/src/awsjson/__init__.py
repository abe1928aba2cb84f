"""An async client for AWS's JSON-protocol services (DynamoDB, SQS, EventBridge, KMS, Cognito, SSM...)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from awsjson.client import AwsJson
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

# importing aiohttp and botocore takes a fifth of a second: code that only names errors and protocols does not load them
_LOADED_WHEN_USED = {"AwsJson": "awsjson.client", "BotoThreads": "awsjson.threads"}


def __getattr__(name: str) -> Any:
    module = _LOADED_WHEN_USED.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module), name)
    return value
