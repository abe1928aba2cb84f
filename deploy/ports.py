"""Ports of this machine, chosen once and remembered, because queue URLs and browser tabs keep them."""

import socket
from pathlib import Path

from deploy.errors import LocalError

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # Servers set it too; without it a port whose last connections still linger would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def remembered_port(memory: Path, wanted: int | None = None) -> int:
    """The port written in the file `memory`; without one, `wanted` or any free port, which is then written there.

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
