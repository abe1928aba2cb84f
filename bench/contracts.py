"""Measures the time of the contracts' compatibility check for 100 events and 40 consumers.

    python -m bench contracts

It takes about ten seconds. It generates a repository of that size in a temporary folder, commits it, changes some
contracts and times the whole command, including the start of Python and the loading of every service.
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


def generate_repository(folder: Path) -> Checkout:
    """Generate and commit the repository."""
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
        _write_file(folder / "contracts" / name / "__init__.py", f'"""Events of {name}."""\n')
        _write_file(
            folder / "contracts" / name / "v1.py",
            '"""Generated."""\n\nfrom typing import Annotated\n\nfrom pydantic import BaseModel, Field\n\n'
            "from contracts.common import Role, UserId\nfrom contracts.event import Event\n\n\n"
            f"class Line(BaseModel):\n    sku: str\n    amount: int\n{events}",
        )
        _write_file(
            folder / "services" / name / "consumers.py",
            '"""Generated."""\n\nfrom pydantic import BaseModel\n\nfrom chassis.work.scope import EventContext\n'
            "from chassis.declare.subscription import Subscription\nfrom contracts.common import Role\n"
            f"from contracts.reads import Reads\nfrom contracts.{other} import v1 as other\n\n\n"
            "class Sku(BaseModel):\n    sku: str\n" + "".join(CONSUMER.format(n=n) for n in range(CONSUMERS)),
        )
        subscriptions = ", ".join(f'"services.{name}.consumers:queue{n}"' for n in range(CONSUMERS))
        published = ", ".join(f"own.Thing{n}Changed" for n in range(EVENTS))
        _write_file(
            folder / "services" / name / "service.py",
            f'"""Generated."""\n\nfrom chassis.declare.service import Service, TableSpec\n'
            f"from contracts.{name} import v1 as own\n\n"
            f'service = Service("{name}", api="", table=TableSpec(), subscriptions=({subscriptions},), '
            f"publishes=({published},))\n",
        )
    repository = Checkout(folder)
    repository.git("init", "--quiet")
    generation = repository.run("generate")
    assert generation.returncode == 0, generation.stderr
    repository.commit()
    return repository


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        repository = generate_repository(Path(folder))
        for n in range(SERVICES):
            repository.edit(f"contracts/service{n}/v1.py", "    sku: str\n", "    code: str\n")
        repository.python("-m", "compileall", "-q", ".")  # as after a first run
        times, cpu = [], _cpu_of_children()
        for _ in range(RUNS):
            start = time.perf_counter()
            done = repository.run("check", "--base", "HEAD")
            times.append(time.perf_counter() - start)
        cpu = (_cpu_of_children() - cpu) / RUNS
        summary = next(line for line in done.stdout.splitlines() if "since HEAD" in line)
        sys.stdout.write(
            f"{SERVICES * EVENTS} events, {SERVICES * CONSUMERS} consumers: "
            f"median {sorted(times)[RUNS // 2]:.2f} s, worst {max(times):.2f} s of {RUNS} runs, "
            f"{cpu:.2f} s of CPU each ({summary})\n"
        )
        return 0 if done.returncode == 1 else 1


def _cpu_of_children() -> float:
    """Seconds of CPU of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _write_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
