"""The commands' side of the supervisor's own routes (`deploy.local.control` is the other)."""

import json
import urllib.error
import urllib.request
from typing import Any

from deploy.errors import LocalError

PATH = "/_local"
HEADER = "X-Tenfold-Local"
"""A web page that is open in a browser cannot send a header of its own here without being asked first, so it can
neither stop a service nor read an environment."""
ACTION_SECONDS = 120.0


def ask(base_url: str, path: str, *, method: str = "GET") -> dict[str, Any]:
    """Ask the supervisor at `base_url`. Raises LocalError with its reason, or if nothing answers."""
    request = urllib.request.Request(f"{base_url}{PATH}{path}", method=method, headers={HEADER: "1"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ACTION_SECONDS + 5) as answer:  # noqa: S310
            parsed: dict[str, Any] = json.load(answer)
            return parsed
    except urllib.error.HTTPError as error:
        try:
            reason = json.load(error).get("detail", str(error))
        except ValueError:
            reason = str(error)
        raise LocalError(reason) from None
    except (urllib.error.URLError, OSError) as error:
        raise LocalError(f"the supervisor does not answer at {base_url} ({error}); start it with `make up`") from None
