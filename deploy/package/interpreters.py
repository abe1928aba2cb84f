"""The Python interpreters of this machine: compiled code runs only on the version that compiled it."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from deploy.errors import PackagingError

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
FIND_SECONDS = 60


@cache
def python_of(version: str) -> Path:
    """The path of a Python of `version`, such as 3.13. Raises PackagingError if this machine has none."""
    if version == RUNNING:
        return Path(sys.executable)
    command = [sys.executable, "-m", "uv", "python", "find", "--no-project", version]
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
    try:
        done = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, text=True, timeout=FIND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackagingError(f"cannot look for Python {version}: {error}") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["uv says nothing"])[0]
        raise PackagingError(
            f"the functions run on Python {version}, and none was found to compile for it ({reason}): install it, "
            f"or say LAMBDA_PYTHON={RUNNING}"
        )
    return Path(done.stdout.strip())
