"""Section of the CPU of importing the broker, against FastStream alone, both compiled."""

import subprocess
import sys
import tempfile

from bench.figures import Report, alternate
from bench.processes import ROOT, RunFailed, environment

# without garbage collection: its passes happen at random times, and one of them costs a fifth of the total
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
    """Compare the imports. Raises RunFailed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as cache:

        def import_once(module: str) -> float:
            # a cache of its own: .pyc files are written in any environment, and none are left in the tree
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
            import_once(module)
        by_name = alternate(MODULES, rounds * RUNS, import_once)
    base = by_name["faststream"]
    targets = {"faststream_sqs": "at most 1.30"}
    rows = [
        (
            f"import {name}",
            samples.spread(),
            "" if samples is base else samples.ratios(base).spread(2),
            targets.get(name, ""),
        )
        for name, samples in by_name.items()
    ]
    report.table(
        f"Import, ms of CPU, compiled, garbage collector off ({rounds * RUNS} rounds)",
        ("", "ms", "against faststream", "target"),
        rows,
    )
