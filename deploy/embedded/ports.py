"""Ports of this machine, chosen once and remembered, because queue URLs and browser tabs keep them."""

import secrets
import socket
from collections.abc import Collection
from pathlib import Path

from deploy.errors import LocalError

HOST = "127.0.0.1"
FIRST, COUNT, ATTEMPTS = 20_000, 10_000, 500


def free_port(avoid: Collection[int] = ()) -> int:
    """A port that nobody listens on now, and that is not in `avoid`.

    It is below the range of outgoing connections, so that it is still free when a killed server starts again. Raises
    LocalError if there is none.
    """
    for _ in range(ATTEMPTS):
        port = FIRST + secrets.randbelow(COUNT)
        if port not in avoid and is_free(port):
            return port
    raise LocalError(f"no free port found between {FIRST} and {FIRST + COUNT}; close some programs")


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # Servers set it too; without it a port whose last connections still linger would count as in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def remembered_port(memory: Path, wanted: int | None = None) -> int:
    """The port in the file `memory`; without one, `wanted` or any free port, which is then written there.

    Raises LocalError if what the file holds is not a port.
    """
    if wanted:
        port = wanted
    elif memory.exists():
        text = memory.read_text().strip()
        if not text.isdigit():
            raise LocalError(f"{memory} does not hold a port number; delete it and start again")
        return int(text)
    else:
        port = free_port()
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(f"{port}\n")
    return port
