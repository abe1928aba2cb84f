"""Section of the CPU of functions' entry points: their import, its share of libraries, and with a first call.

It is measured in the unpacked package of a service, with nothing else to import and a canned AWS.
"""

import json
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.figures import Report, alternate
from chassis.auth.development import DevelopmentIssuer
from chassis.auth.tokens import TokenClaims
from chassis.clock import SystemClock
from contracts.common import Role
from contracts.event import Envelope
from contracts.tenancy import v1 as tenancy
from deploy.embedded.emulator import emulator_venv
from deploy.package.packaging import FIRST_PARTY, Contents, interpreter_of, package
from deploy.services import ROOT
from deploy.template.runtime import HANDLERS

SERVICE = "tasks"
SECONDS = 120
CODE = """
import gc, json, os, sys, time
sys.path.insert(0, os.getcwd())
gc.disable()
before = set(sys.modules)
start = time.process_time()
{statements}
spent = time.process_time() - start
print(json.dumps([spent, [name for name in sys.modules if name not in before]]), flush=True)
os._exit(0)  # as Lambda ends a process
"""
ANSWERS: dict[str, dict[str, Any]] = {
    "BatchGetItem": {"Responses": {}},
    "GetSecretValue": {
        "SecretString": json.dumps({"key": "0" * 64}),
        "VersionId": "1",
        "VersionStages": ["AWSCURRENT"],
    },
    "Query": {"Items": [], "Count": 0},
    "TransactGetItems": {"Responses": [{}, {}]},
    "UpdateItem": {"Attributes": {"organization": {"N": "0"}}},
}
"""Answer by operation; `{}` for all others."""
ORG, USER = "org_1", "user_1"
ENTRIES = {
    "api": "api",
    "consumer of its own": "consumer",
    "consumer of members": "consumer",
    "schedule": "schedule",
}
SUBSCRIPTIONS = {
    "consumer of its own": "services.tasks.imports.consumers:imports",
    "consumer of members": "chassis.tenants.members:subscription",
}


class CannedHandler(BaseHTTPRequestHandler):
    """Canned AWS and token issuer."""

    protocol_version = "HTTP/1.1"
    keys: dict[str, Any]

    def do_GET(self) -> None:
        self._answer(self.keys)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(ANSWERS.get(self.headers.get("X-Amz-Target", "").rpartition(".")[2], {}))

    def _answer(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: only the table is read."""


class UnpackedPackage:
    """The unpacked package of a service, the Python that runs it, and the calls that its functions get."""

    def __init__(self, folder: Path, endpoint: str, issuer: DevelopmentIssuer) -> None:
        interpreter = interpreter_of(emulator_venv())
        built = package(SERVICE, interpreter, ROOT / ".local/deploy/packages", contents=Contents(lambdas=True))
        zipfile.ZipFile(built).extractall(folder)
        self._folder, self._python = folder, interpreter.python
        token = issuer.token(TokenClaims(user_id=USER, email="ada@example.com", org=ORG, role=Role.OWNER, mv=1))
        self._calls = {
            "api": request("/v1/projects", token),
            "consumer of members": delivery(),
            "schedule": {"schedule": "sweep-outbox"},
        }
        self._variables = {
            "TENFOLD_SERVICE": SERVICE,
            "TENFOLD_STAGE": "bench",
            "AWS_REGION": "us-east-1",
            "TENFOLD_LOG_LEVEL": "ERROR",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "TENFOLD_ISSUER": issuer.issuer.issuer,
            "TENFOLD_CLIENT_ID": issuer.issuer.client_id,
            "TENFOLD_JWKS_URL": f"{endpoint}/keys",
        }

    def statements(self, entry: str) -> dict[str, str]:
        """Statements that import an entry point, only its libraries, and that import it and make a first call."""
        module = HANDLERS[ENTRIES[entry]].rpartition(".")[0]
        _, loaded = self.run(entry, f"import {module}")
        own = {*FIRST_PARTY, "services"}

        def is_library(name: str) -> bool:
            top = name.partition(".")[0]
            return top not in sys.stdlib_module_names and top not in own and not top.startswith("__")

        libraries = [name for name in loaded if is_library(name)]
        alone = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in libraries)
        variants = {"libraries": alone, "import": f"import {module}"}
        if entry in self._calls:
            call = f"import {module}\nanswer = {module}.handler({self._calls[entry]!r}, Context())\n{GOOD[entry]}"
            variants["called"] = f"{CONTEXT}\n{call}"
        return variants

    def run(self, entry: str, statements: str) -> tuple[float, list[str]]:
        """Milliseconds of CPU, and the loaded modules in their order. Raises SystemExit if the statements fail."""
        variables = self._variables | {"TENFOLD_SUBSCRIPTION": SUBSCRIPTIONS.get(entry, "")}
        done = subprocess.run(
            [self._python, "-I", "-S", "-c", CODE.format(statements=statements)],
            cwd=self._folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{entry} failed: {(done.stdout + done.stderr)[-4000:]}")
        seconds, loaded = json.loads(done.stdout.splitlines()[-1])
        return seconds * 1000, loaded


CONTEXT = "class Context:\n    def get_remaining_time_in_millis(self): return 20000\n"
GOOD = {
    "api": "assert answer['statusCode'] == 200, answer",
    "consumer of members": "assert answer == {'batchItemFailures': []}, answer",
    "schedule": "assert answer is None, answer",
}


def request(path: str, token: str) -> dict[str, Any]:
    """Event of API Gateway for a GET, format 2.0."""
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {token}", "host": "api.example.com"},
        "requestContext": {"http": http, "domainName": "api.example.com", "stage": "$default", "requestId": "1"},
        "isBase64Encoded": False,
    }


def delivery() -> dict[str, Any]:
    """Event of SQS with one message about a new member."""
    added = tenancy.MemberAdded(user_id=USER, email="ada@example.com", name="Ada", role=Role.MEMBER)
    kind, source = added.event_type, f"tenfold.{added.owner()}"
    detail = Envelope(
        id="1",
        source=source,
        type=kind,
        time=SystemClock().now(),
        subject=USER,
        dataschema=added.schema_path(),
        orgid=ORG,
        actor=USER,
        aggregateversion=1,
        correlationid="1",
        data=added.model_dump(mode="json"),
    )
    body = {"source": source, "detail-type": kind, "detail": detail.model_dump(mode="json")}
    record = {
        "messageId": "1",
        "receiptHandle": "1",
        "body": json.dumps(body),
        "messageAttributes": {},
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772368215123"},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:tenfold-bench-{SERVICE}-members",
    }
    return {"Records": [record]}


@contextmanager
def unpacked_package() -> Iterator[UnpackedPackage]:
    """The package, with a canned AWS that runs meanwhile."""
    issuer = DevelopmentIssuer(SystemClock())
    answers = type("Answers", (CannedHandler,), {"keys": issuer.keys()})
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server, tempfile.TemporaryDirectory() as folder:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield UnpackedPackage(Path(folder), f"http://127.0.0.1:{server.server_port}", issuer)
        finally:
            server.shutdown()


def imports(report: Report, rounds: int) -> None:
    """Report the entry points. Raises SystemExit if one fails."""
    rows = []
    with unpacked_package() as unpacked:
        for entry in ENTRIES:
            statements = unpacked.statements(entry)

            def milliseconds(name: str, entry: str = entry, statements: dict[str, str] = statements) -> float:
                return unpacked.run(entry, statements[name])[0]

            samples = alternate(tuple(statements), rounds, milliseconds)
            ratio = samples["import"].ratios(samples["libraries"]).spread(2)
            called = samples["called"].spread() if "called" in samples else ""
            rows.append((entry, samples["import"].spread(), samples["libraries"].spread(), ratio, called))
    report.table(
        f"Entry points in the package of {SERVICE}, ms of CPU; ratio: import / libraries, at most 1.15",
        ("", "import", "libraries", "ratio", "import and first call"),
        rows,
    )
