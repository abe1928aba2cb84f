"""Runs `deploy.local.provision`, and makes the environment variables of each service's process."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from chassis.auth.development import ISSUER
from deploy.aws import LOCAL_CREDENTIALS
from deploy.embedded.ports import HOST
from deploy.embedded.processes import tail
from deploy.errors import LocalError
from deploy.local.provision import Order, Provisioned
from deploy.services import ROOT

COGNITO = "cognito-idp"
PROVISION_SECONDS = 600.0
NOT_INHERITED = ("AWS_", "OTEL_", "PYTHON", "TENFOLD_")
"""Beginnings of variables that a process of ours never inherits: above all an account's credentials, and switches that
would keep it from writing the .pyc files without which it starts three times slower."""


async def run_provision(order: Order, log: Path, progress: Callable[[str], None]) -> Provisioned:
    """Deploy in a process of its own. Raises LocalError with the first cause."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "deploy.local.provision",
            cwd=ROOT,
            env=base_environment(order.root),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=4 * 1024 * 1024,
        )
        try:
            async with asyncio.timeout(PROVISION_SECONDS):
                if process.stdin is None or process.stdout is None:
                    raise RuntimeError("the process was started without pipes")
                process.stdin.write(order.render().encode())
                process.stdin.close()
                async for line in process.stdout:
                    message = json.loads(line)
                    if "progress" in message:
                        progress(message["progress"])
                    elif "error" in message:
                        raise LocalError(message["error"])
                    else:
                        await process.wait()
                        return Provisioned(**message["provisioned"])
                code = await process.wait()
                raise LocalError(f"deploying ended with code {code}; its log {log} ends:\n{tail(log)}")
        except TimeoutError:
            raise LocalError(f"deploying took longer than {PROVISION_SECONDS:.0f} s; see {log}") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def issuer_environment(public_url: str, without: Collection[str]) -> dict[str, str]:
    """The variables that name the issuer of tokens, where it is not the user pool that its stack has published."""
    if COGNITO not in without:
        return {}
    return {
        "TENFOLD_ISSUER": ISSUER.issuer,
        "TENFOLD_JWKS_URL": f"{public_url}/v1/auth/keys",
        "TENFOLD_CLIENT_ID": ISSUER.client_id,
    }


def base_environment(root: Path) -> dict[str, str]:
    """The variables of every process of ours: our own except NOT_INHERITED, and the path to the code."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    paths = dict.fromkeys((str(root), str(ROOT)))
    return inherited | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def service_environment(
    service: str,
    *,
    stage: str,
    endpoint_url: str,
    public_url: str,
    traces_url: str,
    port: int,
    root: Path,
    stack: Mapping[str, str],
    without: Collection[str] = (),
) -> dict[str, str]:
    """All variables of one service's process. `stack` are those in its stack's outputs."""
    return (
        base_environment(root)
        | LOCAL_CREDENTIALS
        | {
            "TENFOLD_STAGE": stage,
            "TENFOLD_SERVICE": service,
            "TENFOLD_PUBLIC_URL": public_url,
            "AWS_ENDPOINT_URL": endpoint_url,
            "TENFOLD_HOST": HOST,
            "TENFOLD_PORT": str(port),
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces_url,
        }
        | issuer_environment(public_url, without)
        | dict(stack)
    )
