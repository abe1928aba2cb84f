"""Point-in-time recovery of one table into another: the recovery window, the restore, and the settings it loses."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import RefusedError, StackError

RESTORE_SECONDS = 24 * 3600
"""AWS promises no time; most tables take less than an hour."""
SETTLE_SECONDS = 600
MAX_NAME = 255
STAMP = "%Y%m%dT%H%M%SZ"

Progress = Callable[[str], None]
Wait = Callable[[float], None]


@dataclass(frozen=True)
class RecoveryWindow:
    """The earliest and the latest time to which a table can be restored. AWS keeps 35 days, and lags by 5 minutes."""

    earliest: datetime
    latest: datetime

    def refuse_outside(self, at: datetime, now: datetime, table: str) -> None:
        """Raises RefusedError if `table` cannot be restored to the time `at`."""
        if at > now:
            raise RefusedError(f"AT={at.isoformat()} is in the future")
        if not self.earliest <= at <= self.latest:
            raise RefusedError(
                f"{table} can be restored as it was from {self.earliest:%Y-%m-%dT%H:%M:%SZ} to "
                f"{self.latest:%Y-%m-%dT%H:%M:%SZ}, not at {at:%Y-%m-%dT%H:%M:%SZ}"
            )


def parse_time(text: str) -> datetime:
    """A time that names its zone, in UTC. Raises RefusedError."""
    try:
        time_with_zone = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"AT={text} is not a time; write it as 2026-11-21T09:00:00Z") from None
    if time_with_zone.tzinfo is None:
        raise RefusedError(f"AT={text} names no time zone; write it as {text}Z if UTC is meant")
    return time_with_zone.astimezone(UTC)


class Recovery:
    """The tables of one AWS. Every method raises StackError if DynamoDB does not answer; `wait` waits some seconds."""

    def __init__(self, aws: Aws, wait: Wait = time.sleep) -> None:
        self._dynamodb, self._wait = aws.client("dynamodb"), wait

    def describe(self, name: str) -> dict[str, Any] | None:
        """DynamoDB's own TableDescription; None if there is no such table."""
        try:
            description: dict[str, Any] = self._dynamodb.describe_table(TableName=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise _stack_error(error, name) from error
        except BotoCoreError as error:
            raise _stack_error(error, name) from error
        return description

    def window(self, name: str, now: datetime) -> RecoveryWindow:
        """The recovery window of a table. Raises RefusedError if it is not backed up, or does not exist."""
        answer = self._call("describe_continuous_backups", name, TableName=name)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
            raise RefusedError(f"{name} has no point-in-time recovery, so it cannot be restored")
        earliest = recovery.get("EarliestRestorableDateTime", now)
        return RecoveryWindow(earliest, recovery.get("LatestRestorableDateTime", now))

    def refuse_second(self, prefix: str) -> None:
        """Raises RefusedError while a table whose name begins with `prefix` is being restored."""
        try:
            pages = self._dynamodb.get_paginator("list_tables").paginate()
            names = [name for page in pages for name in page["TableNames"] if name.startswith(prefix)]
        except (ClientError, BotoCoreError) as error:
            raise _stack_error(error, prefix) from error
        for name in names:
            table = self.describe(name) or {}
            if table.get("RestoreSummary", {}).get("RestoreInProgress") and table["TableStatus"] == "CREATING":
                raise RefusedError(f"{name} is being restored already; wait, then say TABLE={name} to use it")

    def restore(self, source: str, target: str, at: datetime, properties: dict[str, Any], progress: Progress) -> None:
        """Restore `source` as it was `at` that time into the new table `target`, and wait. The restore gets the
        encryption from `properties`, those of the table in its template."""
        arguments: dict[str, Any] = {"SourceTableName": source, "TargetTableName": target, "RestoreDateTime": at}
        if properties.get("SSESpecification", {}).get("SSEEnabled"):
            arguments["SSESpecificationOverride"] = {"Enabled": True, "SSEType": "KMS"}
        self._call("restore_table_to_point_in_time", source, **arguments)
        self._until_active(target, RESTORE_SECONDS, progress)

    def reapply(self, name: str, properties: dict[str, Any], tags: dict[str, str], progress: Progress) -> None:
        """Give a restored table the settings that a restore loses, from the table's `properties` in its template: time
        to live, recovery, the stream, protection from deletion, tags. It can be repeated."""
        table = self.describe(name) or {}
        if time_to_live := properties.get("TimeToLiveSpecification"):
            now = self._call("describe_time_to_live", name, TableName=name)["TimeToLiveDescription"]
            if now.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
                self._call("update_time_to_live", name, TableName=name, TimeToLiveSpecification=time_to_live)
        if recovery := properties.get("PointInTimeRecoverySpecification"):
            self._call("update_continuous_backups", name, TableName=name, PointInTimeRecoverySpecification=recovery)
        stream = properties.get("StreamSpecification")
        if stream and not table.get("StreamSpecification", {}).get("StreamEnabled"):
            self._update(name, progress, StreamSpecification={"StreamEnabled": True, **stream})
        if properties.get("DeletionProtectionEnabled") and not table.get("DeletionProtectionEnabled"):
            self._update(name, progress, DeletionProtectionEnabled=True)
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._call("tag_resource", name, ResourceArn=table["TableArn"], Tags=pairs)

    def _update(self, name: str, progress: Progress, **change: Any) -> None:
        # DynamoDB takes one kind of change per call, and none while another is under way.
        self._call("update_table", name, TableName=name, **change)
        self._until_active(name, SETTLE_SECONDS, progress)

    def _until_active(self, name: str, seconds: float, progress: Progress) -> None:
        waited, pause = 0.0, 0.05
        while True:
            status = (self.describe(name) or {}).get("TableStatus", "missing")
            if status == "ACTIVE":
                return
            if waited >= seconds:
                raise StackError(f"{name} is still {status} after {seconds:.0f} s; say TABLE={name} once it is ACTIVE")
            progress(f"{name} is {status}, {waited:.0f} s")
            self._wait(pause)
            waited, pause = waited + pause, min(pause * 2, 30.0)

    def _call(self, command: str, name: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._dynamodb, command)(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise _stack_error(error, name) from error
        return answer


def target_name(default: str, at: datetime, taken: Callable[[str], bool]) -> str:
    """The name of the restored table: the stack's own name if it is free, which is the normal state; otherwise with the
    point in time. Raises RefusedError if that exists as well."""
    stamped = f"{default}-{at.strftime(STAMP)}"
    for name in (default, stamped):
        if not taken(name):
            return name
    raise RefusedError(f"{stamped} exists already; say TABLE={stamped} to use it, or delete it first")


def _stack_error(error: Exception, name: str) -> StackError:
    return StackError(f"DynamoDB refuses with {name}: {error}")
