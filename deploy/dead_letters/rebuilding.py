"""`make rebuild`: a rebuild on a stage's own table, step by step with the operator."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.markup import escape
from rich.table import Table as Grid

from awsjson import AwsError
from chassis.aws.client import Aws
from chassis.aws.dynamodb import DynamoTable
from chassis.errors import TenfoldError
from chassis.storage.attribute_values import from_item
from chassis.storage.table import Item
from deploy.dead_letters.history import archive
from deploy.dead_letters.rebuild import Difference, Fed, Rebuild, projection_of, settling
from deploy.dead_letters.replay import Consumer
from deploy.dead_letters.target import Where
from deploy.stage.aws import LOCAL_CREDENTIALS
from deploy.stage.command import OperatorConsole
from deploy.stage.errors import StackError
from deploy.stage.stage import table_in_use

SHOWN = 50
SCAN_SECONDS = 15.0


async def rebuild_projection(where: Where, say: OperatorConsole, to: Consumer, *, swap: bool, drop: bool) -> None:
    """Build and compare; `swap` makes it live, too; `drop` only deletes what is not live. Raises DeployError."""
    projection = projection_of(to)
    async with _rebuild(where, to) as work:
        if drop:
            say.confirm(f"Delete the rows of {projection.consumer} that are not live?")
            say.out.print(f"{await work.drop_others()} rows deleted")
            return
        if swap and not (await work.state()).settled:
            await _settle(where, say, work)
            return
        _tell(say, await work.build())
        differences = await work.differences()
        say.out.print(_grid(differences))
        state = await work.state()
        if not swap:
            say.out.print(f"generation {state.building} is built, {state.live} is live; SWAP=1 makes it live")
            return
        say.confirm(f"Make generation {state.building} of {projection.consumer} live, {len(differences)} rows differ?")
        await work.swap()
        await _settle(where, say, work)


async def _settle(where: Where, say: OperatorConsole, work: Rebuild) -> None:
    seconds = settling(embedded=where.embedded)
    with say.out.status(f"live; waiting {seconds:.0f} s for every process, then the last pass"):
        await asyncio.sleep(seconds)
        _tell(say, await work.catch_up())
    say.out.print(f"generation {(await work.state()).live} is live and complete; DROP=1 deletes the others")


def _tell(say: OperatorConsole, fed: Fed) -> None:
    say.out.print(f"{fed.events} events read")
    for one in fed.refused[:SHOWN]:
        say.err.print(f"[yellow]not handled[/] {escape(one)}", soft_wrap=True)


def _grid(differences: list[Difference]) -> Grid | str:
    if not differences:
        return "no row differs"
    grid = Grid("row", "live", "rebuilt", title=f"{len(differences)} rows differ")
    for one in differences[:SHOWN]:
        grid.add_row(escape(one.key), escape(_fields(one.live, one.built)), escape(_fields(one.built, one.live)))
    return grid


def _fields(item: Item | None, other: Item | None) -> str:
    """What of `item` is not so in `other`."""
    if item is None:
        return "(none)"
    shown = {name: value for name, value in sorted(item.items()) if other is None or other.get(name) != value}
    return json.dumps(shown, ensure_ascii=False)


@asynccontextmanager
async def _rebuild(where: Where, to: Consumer) -> AsyncIterator[Rebuild]:
    """Errors of the table come out as one line."""
    if where.embedded:
        os.environ.update(LOCAL_CREDENTIALS)
    aws = Aws(where.aws.region, where.aws.endpoint_url)
    name = await asyncio.to_thread(table_in_use, where.aws, where.names, to.service)
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
        kept = await asyncio.to_thread(archive, where)
        table = DynamoTable(aws, name)
        yield Rebuild(to, projection_of(to), table, read=kept.read, rows=rows, since=kept.since)
    except (TenfoldError, AwsError) as error:
        raise StackError(f"the rebuild of {to.name} stopped: {error}; repeat it, it goes on where it was") from error
    finally:
        await aws.close()
