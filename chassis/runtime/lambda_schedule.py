"""The schedules of a service as one Lambda function: `chassis.runtime.lambda_schedule.handler`. The event `{"schedule":
name}` says which; SWEEP is the outbox's, which every service that publishes has."""

from collections.abc import Mapping
from typing import Any

import structlog

from chassis.declare.service import load
from chassis.runtime.function import Function

log = structlog.get_logger(__name__)
SWEEP = "sweep-outbox"


class Schedules:
    """Runs one schedule per invocation. Raises KeyError for one that is not declared."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._tasks = {schedule.name: schedule.task for schedule in function.service.schedules}

    def __call__(self, event: Mapping[str, Any], _context: Any) -> None:
        self._function.run(self._run(str(event["schedule"])))

    async def _run(self, name: str) -> None:
        structlog.contextvars.bind_contextvars(schedule=name)
        if name == SWEEP:
            swept = await self._function.context.outbox.sweep()
            log.info("outbox_swept", entries=swept)
            return
        await load(self._tasks[name])(self._function.context)
        log.info("schedule_ran")


handler = Schedules(Function.from_environment())
