"""The laptop's system with a stand-in for a service's process."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from deploy.embedded.processes import end_leftover, remember, running
from deploy.errors import EmulatorError, LocalError
from deploy.local.control import Control
from deploy.local.lock import FolderLock
from deploy.local.reload import reload_on_change, services_affected_by
from deploy.local.supervisor_client import HEADER, ask
from deploy.local.system import LocalSystem


@pytest.fixture
def serve(system_root: Path) -> Path:
    return system_root / "serve.py"


def build(state: Path, serve: Path, cache: Path, told: list[str], control: Control | None = None) -> LocalSystem:
    def command(name: str) -> Sequence[str]:
        return [sys.executable, str(serve), name]

    control = control or Control()
    system = LocalSystem(
        state,
        stage="test",
        root=serve.parent,
        cache=cache,
        command=command,
        progress=told.append,
        extra_routes=control.routes(),
    )
    control.system = system
    return system


@pytest.fixture
async def system(tmp_path: Path, serve: Path, cache: Path) -> AsyncIterator[LocalSystem]:
    async with build(tmp_path / "state", serve, cache, []) as system:
        yield system


@pytest.mark.ministack
async def test_the_day_of_a_supervisor(system: LocalSystem, serve: Path, cache: Path) -> None:
    async with httpx.AsyncClient(base_url=system.base_url, trust_env=False) as client:
        variables = (await client.get("/v1/demo/things/1")).json()["environment"]
        assert variables["AWS_ENDPOINT_URL"] == system.emulator.endpoint_url
        assert variables["UPLOADS_BUCKET"] == "tenfold-test-demo-uploads-000000000000"
        assert variables["TENFOLD_SERVICE"] == "demo"
        assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"].startswith(system.base_url)
        assert "PYTHONDONTWRITEBYTECODE" not in variables

        before = system.pid("demo")
        system.kill("demo")
        assert (await client.get("/v1/demo/things/1")).status_code == 503
        assert system.status() == {"aws": "running", "demo": "stopped"}
        await system.start_service("demo")
        assert system.pid("demo") not in {None, before}
        assert (await client.get("/v1/demo/things/1")).status_code == 200

        assert (await client.post("/_local/services/demo/stop")).status_code == 403
        stopped = await client.post("/_local/services/demo/stop", headers={HEADER: "1"})
        assert stopped.json() == {"demo": "stopped"}
        refused = await client.post("/_local/services/nobody/stop", headers={HEADER: "1"})
        assert (refused.status_code, refused.json()["detail"]) == (
            409,
            "there is no service 'nobody'; the services are demo",
        )
    with pytest.raises(LocalError, match=r"runs in .* already"):
        await build(system.state_dir, serve, cache, []).start()


@pytest.mark.ministack
async def test_a_service_that_dies_is_told_of_and_leaves_nothing_running(
    tmp_path: Path, serve: Path, cache: Path
) -> None:
    told: list[str] = []
    broken = tmp_path / "root"
    broken.mkdir()
    (broken / "services").symlink_to(serve.parent / "services")
    (broken / "serve.py").write_text("import sys\nsys.exit('broken on purpose')\n")
    system = build(tmp_path / "state", broken / "serve.py", cache, told)
    with pytest.raises(LocalError, match=r"demo died with code 1; its log (.|\n)*broken on purpose"):
        await system.start()
    assert system.emulator.pid is None
    assert FolderLock(system.state_dir).holder() is None


@pytest.mark.ministack
async def test_a_change_of_code_is_deployed_and_restarts_its_service(
    tmp_path: Path, system_root: Path, cache: Path
) -> None:
    root = shutil.copytree(system_root, tmp_path / "root")
    declaration = root / "services/demo/consumers.py"
    told: list[str] = []
    async with build(tmp_path / "state", root / "serve.py", cache, told) as system:
        reloading = asyncio.create_task(reload_on_change(system, told.append, root))
        before, deadline = system.pid("demo"), time.monotonic() + 30
        text = declaration.read_text().replace('"things"', '"renamed"')
        while "demo is ready" not in told or system.pid("demo") in {None, before}:
            assert time.monotonic() < deadline, told
            assert not reloading.done()
            if not any("code changed" in line for line in told):
                declaration.write_text(text)  # again until the watcher, which takes its time to begin, has seen it
            await asyncio.sleep(0.3)
        reloading.cancel()
        sqs = system.emulator.aws.client("sqs")
        assert sqs.get_queue_url(QueueName="tenfold-test-demo-renamed")


@pytest.mark.ministack
async def test_an_emulator_that_cannot_start_is_said_at_once(tmp_path: Path, serve: Path, cache: Path) -> None:
    system = build(tmp_path / "state", serve, cache, [])
    taken = socket.create_server(("127.0.0.1", system.emulator.port))
    with taken, pytest.raises(EmulatorError, match="of the embedded AWS is in use"):
        async with asyncio.timeout(10):
            await system.start()


async def test_nothing_running_is_said(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="make up"):
        ask("http://127.0.0.1:9", "/status")
    with pytest.raises(LocalError, match="not started"):
        build(tmp_path, Path(__file__).parents[1] / "system/serve.py", tmp_path, []).environment("demo")


def test_a_change_touches_its_service_or_all(tmp_path: Path) -> None:
    services = ("notify", "tasks")
    assert services_affected_by([str(tmp_path / "services/tasks/api.py")], services, tmp_path) == ["tasks"]
    assert services_affected_by([str(tmp_path / "chassis/messaging/worker.py")], services, tmp_path) == [
        "notify",
        "tasks",
    ]


def test_a_leftover_of_a_crash_is_found_and_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    process = subprocess.Popen(command)
    try:
        remember(tmp_path / "pid", process.pid, command)
        deadline = time.monotonic() + 5
        while running(tmp_path / "pid") != process.pid:  # its command line is empty while it is being loaded
            assert time.monotonic() < deadline
        assert end_leftover(tmp_path / "pid", 5)
        assert process.wait(5) == -signal.SIGTERM
        assert not end_leftover(tmp_path / "pid", 5)
    finally:
        process.kill()


def test_a_pid_that_another_program_has_by_now_is_left_alone(tmp_path: Path) -> None:
    remember(tmp_path / "pid", os.getpid(), ["another", "program"])
    assert running(tmp_path / "pid") is None
    assert not end_leftover(tmp_path / "pid", 5)


def test_two_systems_cannot_share_a_folder(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.take()
    assert second.holder() == os.getpid()
    with pytest.raises(LocalError, match=f"process {os.getpid()}"):
        second.take()
    first.release()
    second.take()
    second.release()
    assert first.holder() is None


def test_commands_say_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    for arguments, said in (
        (["status"], "nothing is running; start it with `make up`"),
        (["logs", "nobody"], "there is no service 'nobody'"),
        (["down"], "nothing is running"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "deploy", *arguments, "--state", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=30,
            env=os.environ | {"COLUMNS": "200"},
            check=False,
        )
        assert said in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
