"""`python -m bench.contracts`: how long the compatibility check takes on 100 events and 40 consumers.

It writes a house of that size into a temporary folder, commits it, changes some contracts and times the whole command,
the start of Python and the loading of every service included.
"""

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.contracts.scratch import ROOT, Checkout

SERVICES, EVENTS, CONSUMERS, RUNS = 10, 10, 4, 5
EVENT = '''

class Thing{n}Changed(Event, type="{service}.thing{n}.changed.v1", subject="thing_id"):
    """A thing of the generated fixture changed: number {n} of its service."""

    thing_id: str
    title: Annotated[str, Field(max_length=200)]
    role: Role
    lines: list[Line]
    counts: dict[UserId, int]
    note: str | None = None
'''
CONSUMER = """

class Read{n}(Reads[other.Thing{n}Changed]):
    thing_id: str
    role: Role
    lines: list[Sku]


queue{n} = Subscription("queue{n}")


@queue{n}.on(Read{n})
async def handle{n}(event: Read{n}, ctx: EventContext) -> None: ...
"""


def write(folder: Path) -> Checkout:
    """The generated house, committed."""
    for part in ("contracts/check", "chassis", "deploy", "awsjson/src", "faststream-sqs/src"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for path in (ROOT / "contracts").glob("*.py"):
        shutil.copy(path, folder / "contracts")
    shutil.copytree(
        ROOT / "contracts/tenancy", folder / "contracts/tenancy", ignore=shutil.ignore_patterns("__pycache__")
    )
    names = [f"service{n}" for n in range(SERVICES)]
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        events = "".join(EVENT.format(n=n, service=name) for n in range(EVENTS))
        _file(folder / "contracts" / name / "__init__.py", f'"""Events of {name}."""\n')
        _file(
            folder / "contracts" / name / "v1.py",
            '"""Generated."""\n\nfrom typing import Annotated\n\nfrom pydantic import BaseModel, Field\n\n'
            "from contracts.common import Role, UserId\nfrom contracts.event import Event\n\n\n"
            f"class Line(BaseModel):\n    sku: str\n    amount: int\n{events}",
        )
        _file(
            folder / "services" / name / "consumers.py",
            '"""Generated."""\n\nfrom pydantic import BaseModel\n\nfrom chassis.work.context import EventContext\n'
            "from chassis.declare.subscription import Subscription\nfrom contracts.common import Role\n"
            f"from contracts.reads import Reads\nfrom contracts.{other} import v1 as other\n\n\n"
            "class Sku(BaseModel):\n    sku: str\n" + "".join(CONSUMER.format(n=n) for n in range(CONSUMERS)),
        )
        subscriptions = ", ".join(f'"services.{name}.consumers:queue{n}"' for n in range(CONSUMERS))
        published = ", ".join(f"own.Thing{n}Changed" for n in range(EVENTS))
        _file(
            folder / "services" / name / "service.py",
            f'"""Generated."""\n\nfrom chassis.declare.service import Service, TableSpec\n'
            f"from contracts.{name} import v1 as own\n\n"
            f'service = Service("{name}", api="", table=TableSpec(), subscriptions=({subscriptions},), '
            f"publishes=({published},))\n",
        )
    house = Checkout(folder)
    house.git("init", "--quiet")
    made = house.run("generate")
    assert made.returncode == 0, made.stderr
    house.commit()
    return house


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        house = write(Path(folder))
        for n in range(SERVICES):
            house.edit(f"contracts/service{n}/v1.py", "    sku: str\n", "    code: str\n")
        house.python("-m", "compileall", "-q", ".")  # as it is after the first run
        times, computing = [], _cpu()
        for _ in range(RUNS):
            start = time.perf_counter()
            done = house.run("check", "--base", "HEAD")
            times.append(time.perf_counter() - start)
        computing = (_cpu() - computing) / RUNS
        summary = next(line for line in done.stdout.splitlines() if "since HEAD" in line)
        sys.stdout.write(
            f"{SERVICES * EVENTS} events, {SERVICES * CONSUMERS} consumers: "
            f"median {sorted(times)[RUNS // 2]:.2f} s, worst {max(times):.2f} s of {RUNS} runs, "
            f"{computing:.2f} s of CPU each ({summary})\n"
        )
        return 0 if done.returncode == 1 else 1


def _cpu() -> float:
    """Seconds of CPU of all ended child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
