"""The code that each function of the Lambda runtime ships, and the part of it that it loads."""

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.package.import_graph import Tree, closure_of
from deploy.package.packaging import FIRST_PARTY, Contents, Interpreter, package, unpacked_bytes
from deploy.services import ROOT, service_names
from deploy.template.runtime import HANDLERS
from tests.deploy.conftest import CACHE

HERE = Interpreter(Path(sys.executable), f"{sys.version_info.major}.{sys.version_info.minor}")
LIMITS = {False: (22_000_000, 55_000_000), True: (15_000_000, 35_000_000)}
"""Of a package without native code, and with it: complete, and with tree shaking. Lambda takes 250 MB."""
LIMITS_ON_LAMBDAS_BOTO3 = {False: 48_000_000, True: 30_000_000}
ENTRIES = [handler.rpartition(".")[0] for handler in HANDLERS.values()]


def reached(service: str) -> set[str]:
    """The libraries' top modules that the functions of a service reach."""
    tree = Tree(
        {name: ROOT / folder for name, folder in FIRST_PARTY.items()}
        | {f"services.{service}": ROOT / "services" / service}
    )
    found = closure_of([*ENTRIES, f"services.{service}.service"], tree)
    return {module.partition(".")[0] for module in found.libraries}


@pytest.mark.parametrize("service", service_names())
def test_only_who_looks_into_files_ships_what_that_takes(service: str) -> None:
    libraries = reached(service)
    assert ("pyvips" in libraries) == (service == "files")
    assert ("mrml" in libraries) == (service == "notify")
    assert not libraries & {"typer", "rich", "cfnlint", "uvicorn", "pytest", "hypothesis"}
    assert {"mangum", "fastapi", "faststream"} <= libraries


@dataclass(frozen=True)
class Built:
    zipped: Path
    unpacked: Path
    tree_shaking: bool


@pytest.fixture(scope="module", params=[False, True], ids=["complete", "tree shaking"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The package of `tasks`."""
    contents = Contents(lambdas=True, tree_shaking=request.param)
    zipped = package("tasks", HERE, CACHE / "packages", contents=contents)
    unpacked = tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(zipped).extractall(unpacked)
    return Built(zipped, unpacked, request.param)


@pytest.mark.slow
def test_a_package_is_small(built: Built) -> None:
    """More than half of it are the native libraries of every service: pydantic's and cryptography's."""
    with zipfile.ZipFile(built.zipped) as archive:
        files = {entry.filename: entry.file_size for entry in archive.infolist()}
    assert not [name for name in files if "pyvips" in name or name.startswith(("uvicorn/", "click/", "h11/"))]
    limit, limit_with_native_code = LIMITS[built.tree_shaking]
    assert sum(size for name, size in files.items() if ".so" not in name) < limit
    assert sum(files.values()) < limit_with_native_code
    assert "contracts/tasks/v1.py" in files
    assert "awsjson/client.py" in files


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES)
def test_a_package_works_without_anything_else(built: Built, entry: str) -> None:
    variables = {
        "TENFOLD_SERVICE": "tasks",
        "TENFOLD_STAGE": "dev",
        "TENFOLD_SUBSCRIPTION": "services.tasks.imports.consumers:imports",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "AWS_REGION": "us-east-1",
    }
    # The clients too: their descriptions of AWS's services are read when the first is called.
    code = (
        f"import sys; sys.path.insert(0, {str(built.unpacked)!r}); import {entry}, boto3, botocore.session; "
        "[botocore.session.get_session().get_service_model(api) for api in ('dynamodb', 'events', 'sqs', 'ssm')]"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("tree_shaking", [False, True], ids=["complete", "tree shaking"])
def test_files_ships_the_libraries_that_its_libraries_load(tmp_path: Path, *, tree_shaking: bool) -> None:
    """Nothing of ours imports them by name: libvips comes with an extra, PDFium beside its module."""
    contents = Contents(lambdas=True, tree_shaking=tree_shaking)
    zipfile.ZipFile(package("files", HERE, CACHE / "packages", contents=contents)).extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pypdfium2, pyvips; "
        "assert pyvips.API_mode; pyvips.Image.black(2, 2).write_to_buffer('.png'); "
        "pypdfium2.PdfDocument.new().new_page(10, 10)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_boto3_may_be_the_runtimes(built: Built) -> None:
    contents = Contents(lambdas=True, boto3=False, tree_shaking=built.tree_shaking)
    lean = package("tasks", HERE, CACHE / "packages", contents=contents)
    folders = {name.split("/")[0] for name in zipfile.ZipFile(lean).namelist()}
    assert not folders & {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3"}
    assert {"awsjson", "aiohttp", "pydantic", "faststream"} <= folders
    assert unpacked_bytes(lean) < min(LIMITS_ON_LAMBDAS_BOTO3[built.tree_shaking], unpacked_bytes(built.zipped))


MADE_WHILE_LOADING = """
import inspect, sys
read = []
findsource = inspect.findsource
inspect.findsource = lambda one: (read.append(inspect.getfile(one)), findsource(one))[1]
import chassis.runtime.lambda_api
from contracts.event import REGISTRY
built = [event.__name__ for event in REGISTRY.values() if event.__pydantic_complete__]
ours = [path for path in read if "/contracts/" in path]
sys.stderr.write(f"{len(REGISTRY)} {ours} {built}")
"""


def test_events_are_defined_without_their_sources_and_built_when_used() -> None:
    """Both were a third of a cold start."""
    environment = {**os.environ, "TENFOLD_SERVICE": "tasks", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", MADE_WHILE_LOADING],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=True,
    )
    count, _, rest = done.stderr.partition(" ")
    assert int(count) > 10
    assert rest == "[] []"


def loaded(module: str, subscription: str = "services.audit.records.consumers:trail") -> set[str]:
    """The modules that a new process has after the import of an entry point."""
    environment = {
        **os.environ,
        "TENFOLD_SERVICE": "audit",
        "TENFOLD_SUBSCRIPTION": subscription,
        "PYTHONPATH": str(ROOT),
    }
    code = f"import sys, {module}; sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment, check=True
    )
    return set(done.stderr.split())


def test_a_consumer_loads_neither_http_nor_other_consumers() -> None:
    modules = loaded("chassis.runtime.lambda_consumer")
    assert "services.audit.records.consumers" in modules
    assert not modules & {
        "fastapi",
        "mangum",
        "boto3",
        "chassis.tenants.members",
        "services.audit.api",
        "services.audit.chain.usecases.sealing",
        "services.audit.stack",
        "chassis.runtime.process",
    }


def test_a_schedule_loads_neither_http_nor_consumers_nor_other_schedules() -> None:
    modules = loaded("chassis.runtime.lambda_schedule")
    assert not modules & {
        "fastapi",
        "mangum",
        "boto3",
        "faststream",
        "services.audit.api",
        "services.audit.records.consumers",
        "services.audit.chain.usecases.sealing",
    }


def test_the_api_loads_no_consumers() -> None:
    modules = loaded("chassis.runtime.lambda_api")
    assert {"services.audit.api", "mangum"} <= modules
    assert not modules & {
        "faststream",
        "uvicorn",
        "boto3",
        "services.audit.records.consumers",
        "services.audit.chain.usecases.sealing",
    }
