"""How a stage is: versions, health, queues, dead letters, alarms."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.errors import StackError, UnhealthyError
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


def as_table(found: list[Condition]) -> Table:
    table = Table("service", "stack", "version", "changed", "health", "waiting", "dead letters", "alarms")
    for one in found:
        dead, bad = f"[red]{one.dead}[/]" if one.dead else "0", one.health not in {"", "healthy"}
        health = f"[red]{one.health}[/]" if bad else one.health
        alarms = f"[red]{', '.join(one.alarms)}[/]" if one.alarms else ""
        table.add_row(
            one.service, one.status, one.version or "", one.changed_at, health, str(one.waiting), dead, alarms
        )
    return table


def _condition(environment: DeploymentEnvironment, plan: DeploymentPlan, name: str) -> Condition:
    stack = environment.target.names.stack(name)
    now = environment.stacks.current(stack)
    if now is None:
        return Condition(name, "not deployed")
    template = plan.templates[name]
    try:
        health = "healthy" if check_health(environment.aws, template) else ""
    except UnhealthyError as error:
        health = str(error)
    waiting, dead = _depths(environment, stack)
    changed = now.changed_at.strftime("%Y-%m-%d %H:%M:%S") if now.changed_at else ""
    return Condition(
        name, now.status, version_of(now.parameters), changed, health, waiting, dead, _ringing(environment, stack)
    )


def _depths(environment: DeploymentEnvironment, stack: str) -> tuple[int, int]:
    """Messages waiting or under way, and dead letters."""
    sqs, waiting, dead = environment.aws.client("sqs"), 0, 0
    try:
        for url in sqs.list_queues(QueueNamePrefix=f"{stack}-").get("QueueUrls", []):
            depth = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=DEPTHS)["Attributes"]
            count = sum(int(value) for value in depth.values())
            dead, waiting = (dead + count, waiting) if url.endswith("-dlq") else (dead, waiting + count)
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot read the queues of {stack}: {error}") from error
    return waiting, dead


def _ringing(environment: DeploymentEnvironment, stack: str) -> tuple[str, ...]:
    try:
        pages = (
            environment.aws.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=f"{stack}-", StateValue="ALARM")
        )
        found: list[dict[str, Any]] = [one for page in pages for one in page["MetricAlarms"]]
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"cannot read the alarms of {stack}: {error}") from error
    return tuple(one.get("AlarmDescription") or one["AlarmName"] for one in found)
