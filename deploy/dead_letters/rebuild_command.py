"""Rebuilds a projection on a stage's own table, step by step with the operator."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.markup import escape

from awsjson import AwsError
from chassis.aws.client import Aws
from chassis.aws.dynamodb import DynamoTable
from chassis.errors import TenfoldError
from chassis.storage.attribute_values import from_item
from chassis.storage.table import Item
from deploy.aws import LOCAL_CREDENTIALS
from deploy.dead_letters import tables
from deploy.dead_letters.history import archive_of
from deploy.dead_letters.rebuild import PassResult, Rebuild, projection_of, settle_seconds
from deploy.dead_letters.replay import Consumer
from deploy.dead_letters.target import OperatedStage
from deploy.errors import StackError
from deploy.stage.command import OperatorConsole
from deploy.stage.stage import table_in_use

SCAN_SECONDS = 15.0


async def rebuild_projection(
    stage: OperatedStage, console: OperatorConsole, consumer: Consumer, *, swap: bool, drop: bool
) -> None:
    """Build and compare; `swap` makes it live, too; `drop` only deletes what is not live. Raises DeployError."""
    projection = projection_of(consumer)
    async with _open_rebuild(stage, consumer) as rebuild:
        if drop:
            console.confirm(f"Delete the rows of {projection.consumer} that are not live?")
            console.out.print(f"{await rebuild.drop_others()} rows deleted")
            return
        if swap and not (await rebuild.state()).settled:
            await _settle(stage, console, rebuild)
            return
        _report(console, await rebuild.build())
        differences = await rebuild.differences()
        console.out.print(tables.differences(differences))
        state = await rebuild.state()
        if not swap:
            console.out.print(f"generation {state.building} is built, {state.live} is live; SWAP=1 makes it live")
            return
        count = len(differences)
        console.confirm(f"Make generation {state.building} of {projection.consumer} live, {count} rows differ?")
        await rebuild.swap()
        await _settle(stage, console, rebuild)


async def _settle(stage: OperatedStage, console: OperatorConsole, rebuild: Rebuild) -> None:
    seconds = settle_seconds(embedded=stage.is_embedded)
    with console.out.status(f"live; waiting {seconds:.0f} s for every process, then the last pass"):
        await asyncio.sleep(seconds)
        _report(console, await rebuild.catch_up())
    live = (await rebuild.state()).live
    console.out.print(f"generation {live} is live and complete; DROP=1 deletes the others")


def _report(console: OperatorConsole, result: PassResult) -> None:
    console.out.print(f"{result.events} events read")
    for refusal in result.refused[: tables.SHOWN]:
        console.err.print(f"[yellow]not handled[/] {escape(refusal)}", soft_wrap=True)


@asynccontextmanager
async def _open_rebuild(stage: OperatedStage, consumer: Consumer) -> AsyncIterator[Rebuild]:
    """Errors of the table come out as one line."""
    if stage.is_embedded:
        os.environ.update(LOCAL_CREDENTIALS)
    aws = Aws(stage.aws.region, stage.aws.endpoint_url)
    name = await asyncio.to_thread(table_in_use, stage.aws, stage.names, consumer.service)
    await aws.open()

    async def rows() -> AsyncIterator[Item]:
        params: dict[str, object] = {"TableName": name, "ConsistentRead": True}
        while True:
            answer = await aws.call("dynamodb", "Scan", params, timeout=SCAN_SECONDS)
            for item in answer["Items"]:
                yield from_item(item)
            if "LastEvaluatedKey" not in answer:
                return
            params["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    try:
        archive = await asyncio.to_thread(archive_of, stage)
        table = DynamoTable(aws, name)
        yield Rebuild(consumer, projection_of(consumer), table, read=archive.read, rows=rows, since=archive.since)
    except (TenfoldError, AwsError) as error:
        raise StackError(
            f"the rebuild of {consumer.name} stopped: {error}; repeat it, it goes on where it stopped"
        ) from error
    finally:
        await aws.close()
