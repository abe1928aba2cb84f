"""Health check of a deployment: every function is called once, in a way that changes nothing."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import UnhealthyError
from deploy.template import Template
from deploy.template.runtime import HANDLERS
from deploy.template.shifting import ALIAS

AT_ONCE, AT_ONCE_LOCALLY = 4, 1
"""Functions of one stack that are called at once. A laptop starts functions no faster by starting many: each would wait
for the others, up to our timeout, and be started again."""
READY = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/health/ready",
    "rawQueryString": "",
    "headers": {"host": "health.invalid"},
    "requestContext": {
        "http": {"method": "GET", "path": "/health/ready", "sourceIp": "127.0.0.1"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}
"""A request in the form of API Gateway."""
NOTHING: dict[str, Any] = {"Records": []}


def check_health(aws: Aws, template: Template) -> int:
    """Call the API and each consumer of a deployed template. Returns how many answered as they should (0 for a stack
    without such functions). Raises UnhealthyError with the first wrong answer."""
    resources, probes = template["Resources"], []
    for logical_id, resource in sorted(resources.items()):
        if resource["Type"] == "AWS::Lambda::Function":
            handler, name = resource["Properties"]["Handler"], resource["Properties"]["FunctionName"]
            callee = f"{name}:{ALIAS}" if f"{logical_id}Alias" in resources else name
            if handler in {HANDLERS["api"], HANDLERS["consumer"]}:
                probes.append((callee, handler))
    with ThreadPoolExecutor(AT_ONCE_LOCALLY if aws.endpoint_url else AT_ONCE) as pool:
        problems = [problem for problem in pool.map(lambda probe: _problem(aws, *probe), probes) if problem]
    if problems:
        raise UnhealthyError(problems[0])
    return len(probes)


def _problem(aws: Aws, name: str, handler: str) -> str | None:
    event = READY if handler == HANDLERS["api"] else NOTHING
    try:
        answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read() or b"null")
    except (ClientError, BotoCoreError, ValueError) as error:
        return f"{name} cannot be called: {error}"
    if "FunctionError" in answer:
        return f"{name} fails: {_text(payload)}"
    if handler == HANDLERS["api"] and (not isinstance(payload, dict) or payload.get("statusCode") != 200):
        return f"{name} is not ready: {_text(payload)}"
    return None


def _text(payload: Any) -> str:
    parts: Sequence[Any] = ()
    if isinstance(payload, dict):
        parts = [payload[key] for key in ("errorType", "errorMessage", "body") if payload.get(key)]
    return ": ".join(str(part) for part in parts)[:500] or str(payload)[:500]
