"""Web origins as browsers send them (RFC 6454): scheme, host and port, and nothing more. Pure."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_ORIGINS = 20
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[1-9][0-9]{{0,4}}))?", re.ASCII
)
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_LOCAL = frozenset({"localhost", "127.0.0.1"})


def canonical(text: str) -> str:
    """As a browser writes it. Raises ValueError, with what to write instead."""
    found = _ORIGIN.fullmatch(text.lower())
    if found is None or int(found["port"] or 0) > 65_535:
        raise ValueError("is no origin; write it as https://app.example.com or https://app.example.com:8443")
    scheme, host, port = found["scheme"], found["host"], found["port"]
    if scheme == "http" and host not in _LOCAL:
        raise ValueError("is not encrypted; http is taken for localhost alone")
    return f"{scheme}://{host}" if port in {None, _DEFAULT_PORTS[scheme]} else f"{scheme}://{host}:{port}"


def _each_once(origins: list[str]) -> list[str]:
    return list(dict.fromkeys(origins))


Origin = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(canonical)]
Origins = Annotated[list[Origin], Field(max_length=MAX_ORIGINS), AfterValidator(_each_once)]
