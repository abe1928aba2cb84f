"""Every port that a service declares resolves to an adapter that has all of the port's methods."""

import inspect
from typing import Any

import pytest

from chassis.aws.client import Aws
from chassis.declare.service import load, service
from deploy.services import service_names

PORTS = [(name, port) for name in service_names() for port in service(name).ports]
SETTINGS = {
    "VAULT_KEY": "key",
    "FILES_BUCKET": "bucket",
    "IDENTITY_USER_POOL_ID": "us-east-1_pool",
    "IDENTITY_CLIENT_ID": "client",
    "TENFOLD_SERVICE": "any",
}


@pytest.mark.parametrize(("name", "port"), PORTS, ids=[f"{name}-{port.__name__}" for name, port in PORTS])
def test_a_declared_port_has_its_adapter(name: str, port: type, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in SETTINGS.items():
        monkeypatch.setenv(variable, value)
    adapter = load(service(name).ports[port])(Aws("us-east-1", "http://127.0.0.1:9"))
    assert missing(port, adapter) == []


def missing(port: type, adapter: object) -> list[str]:
    """The methods of the port, and their parameters, that the adapter lacks."""
    lacks = []
    for name, wanted in vars(port).items():
        if name.startswith("_") or not inspect.isfunction(wanted):
            continue
        method: Any = getattr(adapter, name, None)
        if method is None:
            lacks.append(name)
            continue
        has = inspect.signature(method).parameters
        lacks += [f"{name}({each})" for each in list(inspect.signature(wanted).parameters)[1:] if each not in has]
        if inspect.iscoroutinefunction(wanted) != inspect.iscoroutinefunction(method):
            lacks.append(f"{name}: is async on one side only")
    return lacks


class Lamp:
    def on(self, level: int) -> None: ...

    async def off(self) -> None: ...


class Candle:
    def on(self) -> None: ...

    def off(self) -> None: ...


def test_what_an_adapter_lacks_is_found() -> None:
    assert missing(Lamp, Candle()) == ["on(level)", "off: is async on one side only"]
    assert missing(Lamp, object()) == ["on", "off"]
    assert missing(Lamp, Lamp()) == []
