"""The errors that a call can raise: callers decide by type, the client by `is_retryable`."""

from dataclasses import dataclass
from typing import Any

THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "KmsThrottled",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# A conflict with a running transaction changes nothing, so a retry is always safe.
TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException", "TransactionConflictException"})
TRANSIENT_STATUSES = frozenset({429, 500, 502, 503, 504})
RETRYABLE_REASONS = frozenset(
    {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"}
)


class AwsError(Exception):
    """A failed call. `code` is the error's name in the model (`QueueDoesNotExist`), `status` is HTTP's (0: no answer).

    `outcome_unknown` means that this attempt or an earlier one of the same call may have been executed.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int = 0,
        service: str = "",
        operation: str = "",
        request_id: str = "",
        retryable: bool | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.service = service
        self.operation = operation
        self.request_id = request_id
        self.outcome_unknown = status >= 500
        self._retryable = retryable

    @property
    def is_retryable(self) -> bool:
        """Whether the same call can succeed later without any change."""
        if self._retryable is not None:
            return self._retryable
        return self.code in THROTTLING_CODES or self.code in TRANSIENT_CODES or self.status in TRANSIENT_STATUSES

    def __str__(self) -> str:
        where = f"{self.service}.{self.operation}: " if self.service else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{where}{self.code}: {self.message}{request}" if self.message else f"{where}{self.code}{request}"


class ConfigurationError(AwsError):
    """No region, no credentials, or a service that does not speak a JSON protocol."""

    def __init__(self, message: str, *, service: str = "", operation: str = "") -> None:
        super().__init__("ConfigurationError", message, service=service, operation=operation, retryable=False)


class CredentialsUnavailable(AwsError):
    """The keys are about to expire and cannot be renewed: STS, the metadata service or a login failed."""

    def __init__(self, message: str) -> None:
        super().__init__("CredentialsUnavailable", message, retryable=True)


class Throttled(AwsError):
    """The service asked for fewer calls and executed nothing."""

    @property
    def is_retryable(self) -> bool:
        return True


class ConnectionFailed(AwsError):
    """No answer: the service was never reached, or (`outcome_unknown`) the connection broke after sending."""

    def __init__(self, message: str = "", *, sent: bool = False, service: str = "", operation: str = "") -> None:
        super().__init__("ConnectionFailed", message, service=service, operation=operation, retryable=True)
        self.outcome_unknown = sent


class DeadlineExceeded(AwsError):
    """No answer in time; the call may have been executed."""

    def __init__(self, message: str = "", *, service: str = "", operation: str = "") -> None:
        super().__init__("DeadlineExceeded", message, service=service, operation=operation, retryable=True)
        self.outcome_unknown = True


class ConditionFailed(AwsError):
    """DynamoDB's ConditionalCheckFailedException; `item` is the old item if the call asked for it."""

    def __init__(
        self,
        code: str = "ConditionalCheckFailedException",
        message: str = "",
        *,
        item: dict[str, Any] | None = None,
        **where: Any,
    ) -> None:
        super().__init__(code, message, **where)
        self.item = item


@dataclass(frozen=True, slots=True)
class CancellationReason:
    """The reason why one action of a transaction failed; code "None" means that only others failed."""

    code: str
    message: str = ""
    item: dict[str, Any] | None = None


class TransactionCancelled(AwsError):
    """DynamoDB's TransactionCanceledException: nothing was written. There is one reason per action, in order."""

    def __init__(
        self,
        code: str = "TransactionCanceledException",
        message: str = "",
        *,
        reasons: tuple[CancellationReason, ...] = (),
        **where: Any,
    ) -> None:
        super().__init__(code, message, **where)
        self.reasons = reasons

    @property
    def conflict(self) -> bool:
        """Whether another transaction was changing one of the items."""
        return any(reason.code == "TransactionConflict" for reason in self.reasons)

    @property
    def condition_failed(self) -> bool:
        """Whether the condition of an action did not hold."""
        return any(reason.code == "ConditionalCheckFailed" for reason in self.reasons)

    @property
    def is_retryable(self) -> bool:
        return bool(self.reasons) and all(reason.code in RETRYABLE_REASONS for reason in self.reasons)
