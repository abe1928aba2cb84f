"""Child processes: asked to stop, then killed, and ended later if a crash left them behind."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

STEP_SECONDS = 0.02


def stop(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """SIGTERM, and SIGKILL after `seconds`. True if it ended by itself. Does nothing to a process that has ended."""
    if process.poll() is not None:
        return True
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
        return False
    return True


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message; empty if there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def remember(pid_file: Path, pid: int, command: list[str]) -> None:
    """Write a process down, so that the next start can end it if its parent could not."""
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    pid_file.write_text(json.dumps({"pid": pid, "command": command}))


def running(pid_file: Path) -> int | None:
    """The pid in `pid_file` if that command still runs; None if another program has the pid by now."""
    try:
        record = json.loads(pid_file.read_text())
        pid, command = int(record["pid"]), [str(part) for part in record["command"]]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return pid if " ".join(command) in _command_line(pid) else None


def _command_line(pid: int) -> str:
    """The command line of a living process; empty for one that is gone or a zombie."""
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():  # Linux, where a slim image may have no ps
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    listing = subprocess.run(  # noqa: S603
        ["ps", "-o", "stat=", "-o", "command=", "-p", str(pid)],  # noqa: S607  (the path of ps differs between systems)
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    state, _, line = listing.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else line


def end_leftover(pid_file: Path, seconds: float) -> bool:
    """End the process that `pid_file` remembers, if it still runs: SIGTERM, then SIGKILL after `seconds`.

    True if there was one.
    """
    pid = running(pid_file)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while running(pid_file) is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(STEP_SECONDS)
    pid_file.unlink(missing_ok=True)
    return pid is not None
