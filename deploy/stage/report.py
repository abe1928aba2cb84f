"""Report on a stage: versions, health, queues, dead letters, alarms."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from deploy.aws import Aws
from deploy.errors import StackError, UnhealthyError
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.health import check_health
from deploy.stage.rollout import version_of
from deploy.stage.stage import DeploymentPlan

AT_ONCE = 4
DEPTHS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


@dataclass(frozen=True)
class Condition:
    """One service in one stage. `version` is None while it is not deployed."""

    service: str
    status: str
    version: str | None = None
    changed_at: str = ""
    health: str = ""
    waiting: int = 0
    dead: int = 0
    alarms: tuple[str, ...] = ()


def conditions(environment: DeploymentEnvironment, plan: DeploymentPlan) -> list[Condition]:
    """The condition of each service of `plan`. Raises StackError."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda name: _condition(environment, plan, name), plan.services))


def as_table(rows: list[Condition]) -> Table:
    table = Table("service", "stack", "version", "changed", "health", "waiting", "dead letters", "alarms")
    for row in rows:
        dead, bad = f"[red]{row.dead}[/]" if row.dead else "0", row.health not in {"", "healthy"}
        health = f"[red]{row.health}[/]" if bad else row.health
        alarms = f"[red]{', '.join(row.alarms)}[/]" if row.alarms else ""
        table.add_row(
            row.service, row.status, row.version or "", row.changed_at, health, str(row.waiting), dead, alarms
        )
    return table


def _condition(environment: DeploymentEnvironment, plan: DeploymentPlan, name: str) -> Condition:
    stack = environment.target.names.stack(name)
    now = environment.stacks.current(stack)
    if now is None:
        return Condition(name, "not deployed")
    try:
        health = "healthy" if check_health(environment.aws, plan.templates[name]) else ""
    except UnhealthyError as error:
        health = str(error)
    try:
        waiting, dead = _depths(environment.aws, stack)
        paginator = environment.aws.client("cloudwatch").get_paginator("describe_alarms")
        pages = paginator.paginate(AlarmNamePrefix=f"{stack}-", StateValue="ALARM")
        active = [alarm for page in pages for alarm in page["MetricAlarms"]]
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot read the queues and alarms of {stack}: {error}") from error
    alarms = tuple(str(alarm.get("AlarmDescription") or alarm["AlarmName"]) for alarm in active)
    changed = now.changed_at.strftime("%Y-%m-%d %H:%M:%S") if now.changed_at else ""
    return Condition(name, now.status, version_of(now.parameters), changed, health, waiting, dead, alarms)


def _depths(aws: Aws, stack: str) -> tuple[int, int]:
    """Messages waiting or in flight, and dead letters."""
    sqs, waiting, dead = aws.client("sqs"), 0, 0
    for url in sqs.list_queues(QueueNamePrefix=f"{stack}-").get("QueueUrls", []):
        depth = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=DEPTHS)["Attributes"]
        count = sum(int(value) for value in depth.values())
        dead, waiting = (dead + count, waiting) if url.endswith("-dlq") else (dead, waiting + count)
    return waiting, dead
