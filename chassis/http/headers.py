"""The headers of every answer."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders

YEARS_SECONDS = 63_072_000
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": f"max-age={YEARS_SECONDS}; includeSubDomains",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Origin",
}
NOTHING_RUNS = "default-src 'none'; frame-ancestors 'none'"
PAGES = "frame-ancestors 'none'"
"""The documentation page loads what it shows."""
NOTES = "answer_headers"
"""The attribute of a request's state with further headers for its answer, whatever the answer will be."""


def complete(headers: MutableHeaders, notes: Mapping[str, str]) -> None:
    """Add the headers that an answer lacks."""
    page = headers.get("content-type", "").startswith("text/html")
    headers.setdefault("Content-Security-Policy", PAGES if page else NOTHING_RUNS)
    headers.setdefault("Cache-Control", "no-store")
    for name, value in {**SECURITY, **notes}.items():
        headers.setdefault(name, value)
