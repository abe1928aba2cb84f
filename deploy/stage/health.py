"""Whether what was deployed works: every function is called once, in a way that changes nothing."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.stage.aws import Aws
from deploy.stage.errors import UnhealthyError
from deploy.template import Template
from deploy.template.runtime import HANDLERS
from deploy.template.shifting import ALIAS

AT_ONCE, AT_ONCE_LOCALLY = 4, 1
"""Of one stack. A laptop starts functions no faster by starting many: each then waits for the others, up to our
timeout, and is begun anew."""
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
"""A request such as API Gateway would send."""
NOTHING: dict[str, Any] = {"Records": []}


def check_health(aws: Aws, template: Template) -> int:
    """Call the API and each consumer of a deployed template. Returns how many answered as they should (none in a stack
    without such functions). Raises UnhealthyError with what the first of the others said."""
    probes = _probes(template)
    with ThreadPoolExecutor(AT_ONCE_LOCALLY if aws.endpoint_url else AT_ONCE) as pool:
        complaints = [one for one in pool.map(lambda probe: _complaint(aws, *probe), probes) if one]
    if complaints:
        raise UnhealthyError(complaints[0])
    return len(probes)


def _probes(template: Template) -> list[tuple[str, dict[str, Any], str]]:
    """Name, event and handler of each function to call."""
    resources = template["Resources"]
    found = []
    for logical_id, resource in sorted(resources.items()):
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        handler, name = resource["Properties"]["Handler"], resource["Properties"]["FunctionName"]
        called = f"{name}:{ALIAS}" if f"{logical_id}Alias" in resources else name
        if handler == HANDLERS["api"]:
            found.append((called, READY, handler))
        elif handler == HANDLERS["consumer"]:
            found.append((called, NOTHING, handler))
    return found


def _complaint(aws: Aws, name: str, event: dict[str, Any], handler: str) -> str | None:
    try:
        answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        said = json.loads(answer["Payload"].read() or b"null")
    except (ClientError, BotoCoreError, ValueError) as error:
        return f"{name} cannot be called: {error}"
    if "FunctionError" in answer:
        return f"{name} fails: {_text(said)}"
    if handler == HANDLERS["api"] and (not isinstance(said, dict) or said.get("statusCode") != 200):
        return f"{name} is not ready: {_text(said)}"
    return None


def _text(said: Any) -> str:
    parts: Sequence[Any] = ()
    if isinstance(said, dict):
        parts = [said[key] for key in ("errorType", "errorMessage", "body") if said.get(key)]
    return ": ".join(str(part) for part in parts)[:500] or str(said)[:500]
