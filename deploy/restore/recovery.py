"""Point-in-time recovery of one table into another: what can be had, the restore itself, and what a restore loses."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.stage.aws import Aws
from deploy.stage.errors import RefusedError, StackError

RESTORE_SECONDS = 24 * 3600
"""AWS promises no time; most tables take less than an hour."""
SETTLE_SECONDS = 600
MAX_NAME = 255
STAMP = "%Y%m%dT%H%M%SZ"

Progress = Callable[[str], None]
Wait = Callable[[float], None]


@dataclass(frozen=True)
class RecoveryWindow:
    """From when to when a table can be restored. AWS keeps 35 days, and is some five minutes behind."""

    earliest: datetime
    latest: datetime


def moment(text: str) -> datetime:
    """A time that names its zone, in UTC. Raises RefusedError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"AT={text} is no time; write it as 2026-11-21T09:00:00Z") from None
    if found.tzinfo is None:
        raise RefusedError(f"AT={text} names no time zone; write it as {text}Z if UTC is meant")
    return found.astimezone(UTC)


class Recovery:
    """The tables of one AWS. Every method raises StackError if DynamoDB does not answer; `wait` waits some seconds."""

    def __init__(self, aws: Aws, wait: Wait = time.sleep) -> None:
        self._dynamodb, self._wait = aws.client("dynamodb"), wait

    def describe(self, name: str) -> dict[str, Any] | None:
        """DynamoDB's own TableDescription; None if there is no such table."""
        try:
            found: dict[str, Any] = self._dynamodb.describe_table(TableName=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise _explained(error, name) from error
        except BotoCoreError as error:
            raise _explained(error, name) from error
        return found

    def window(self, name: str, now: datetime) -> RecoveryWindow:
        """Raises RefusedError if the table is not backed up, or is not there."""
        answer = self._call("describe_continuous_backups", name, TableName=name)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
            raise RefusedError(f"{name} has no point-in-time recovery, so it cannot be restored")
        earliest = recovery.get("EarliestRestorableDateTime", now)
        return RecoveryWindow(earliest, recovery.get("LatestRestorableDateTime", now))

    def refuse_second(self, prefix: str) -> None:
        """Raises RefusedError while a table whose name begins with `prefix` is being restored."""
        for name in self._names(prefix):
            found = self.describe(name) or {}
            if found.get("RestoreSummary", {}).get("RestoreInProgress") and found["TableStatus"] == "CREATING":
                raise RefusedError(f"{name} is being restored already; wait, then say TABLE={name} to use it")

    def restore(self, source: str, target: str, at: datetime, properties: dict[str, Any], progress: Progress) -> None:
        """Restore `source` as it was `at` that moment into the new table `target`, and wait. `properties` are the
        table's in its template: the encryption is given to the restore."""
        arguments: dict[str, Any] = {"SourceTableName": source, "TargetTableName": target, "RestoreDateTime": at}
        if properties.get("SSESpecification", {}).get("SSEEnabled"):
            arguments["SSESpecificationOverride"] = {"Enabled": True, "SSEType": "KMS"}
        self._call("restore_table_to_point_in_time", source, **arguments)
        self._until_active(target, RESTORE_SECONDS, progress)

    def reapply(self, name: str, properties: dict[str, Any], tags: dict[str, str], progress: Progress) -> None:
        """Give a restored table what a restore leaves behind, by the table's `properties` in its template: time to
        live, recovery, the stream, protection from deletion, tags. May be repeated."""
        found = self.describe(name) or {}
        if lives := properties.get("TimeToLiveSpecification"):
            now = self._call("describe_time_to_live", name, TableName=name)["TimeToLiveDescription"]
            if now.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
                self._call("update_time_to_live", name, TableName=name, TimeToLiveSpecification=lives)
        if recovery := properties.get("PointInTimeRecoverySpecification"):
            self._call("update_continuous_backups", name, TableName=name, PointInTimeRecoverySpecification=recovery)
        stream = properties.get("StreamSpecification")
        if stream and not found.get("StreamSpecification", {}).get("StreamEnabled"):
            self._update(name, progress, StreamSpecification={"StreamEnabled": True, **stream})
        if properties.get("DeletionProtectionEnabled") and not found.get("DeletionProtectionEnabled"):
            self._update(name, progress, DeletionProtectionEnabled=True)
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._call("tag_resource", name, ResourceArn=found["TableArn"], Tags=pairs)

    def _update(self, name: str, progress: Progress, **change: Any) -> None:
        # One kind of change a call, and none while another is under way: so DynamoDB wants it.
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

    def _names(self, prefix: str) -> list[str]:
        try:
            pages = self._dynamodb.get_paginator("list_tables").paginate()
            return [name for page in pages for name in page["TableNames"] if name.startswith(prefix)]
        except (ClientError, BotoCoreError) as error:
            raise _explained(error, prefix) from error

    def _call(self, command: str, name: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._dynamodb, command)(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise _explained(error, name) from error
        return answer


def target_name(default: str, at: datetime, taken: Callable[[str], bool]) -> str:
    """What the restored table is called: the stack's own name if that is free, for then nothing is out of the ordinary;
    else with the moment. Raises RefusedError if that is taken as well."""
    stamped = f"{default}-{at.strftime(STAMP)}"
    for name in (default, stamped):
        if not taken(name):
            return name
    raise RefusedError(f"{stamped} exists already; say TABLE={stamped} to use it, or delete it first")


def _explained(error: Exception, name: str) -> StackError:
    return StackError(f"DynamoDB refuses with {name}: {error}")
