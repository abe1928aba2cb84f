"""CPU of importing the broker against importing FastStream alone, both compiled."""

import subprocess
import sys
import tempfile

from bench.figures import Report, alternate
from bench.processes import ROOT, RunFailed, environment

# without the collector: where its passes fall is a matter of chance, and one of them costs a fifth of the figure
CODE = """
import gc, time
gc.disable()
start = time.process_time()
import {module}
print(time.process_time() - start)
"""
MODULES = ("faststream", "faststream_sqs", "awsjson")
RUNS = 3


def imports_section(report: Report, rounds: int) -> None:
    """Raises RunFailed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as cache:

        def once(module: str) -> float:
            # a cache of its own: .pyc files are there whatever the environment says, and nothing is left in the tree
            done = subprocess.run(
                [sys.executable, "-c", CODE.format(module=module)],
                cwd=ROOT,
                env=environment(PYTHONPYCACHEPREFIX=cache),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RunFailed(f"import {module}: {done.stderr.strip().splitlines()[-1]}")
            return float(done.stdout) * 1000

        for module in MODULES:
            once(module)
        found = alternate(MODULES, rounds * RUNS, once)
    base = found["faststream"]
    targets = {"faststream_sqs": "at most 1.30"}
    rows = [
        (
            f"import {name}",
            samples.spread(),
            "" if samples is base else samples.ratios(base).spread(2),
            targets.get(name, ""),
        )
        for name, samples in found.items()
    ]
    report.table(
        f"Import, ms of CPU, compiled, garbage collector off ({rounds * RUNS} rounds)",
        ("", "ms", "against faststream", "target"),
        rows,
    )
