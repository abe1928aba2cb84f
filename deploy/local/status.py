"""How far the supervisor is, in a file that every command can read."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

STATUS = "status.json"


@dataclass(frozen=True)
class Status:
    """`phase` is "starting", "ready", "failed" or "stopped"; `text` the last step, or why it failed."""

    pid: int
    phase: str
    text: str
    base_url: str

    @classmethod
    def read(cls, state_dir: Path) -> "Status | None":
        """The status that the last supervisor of this folder wrote; None if there was none."""
        try:
            return cls(**json.loads((state_dir / STATUS).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        unfinished = state_dir / f"{STATUS}.new"
        unfinished.write_text(json.dumps(asdict(self)))
        unfinished.replace(state_dir / STATUS)


class Reporter:
    """Writes the supervisor's status and log. The phase stays until another is reported."""

    def __init__(self, state_dir: Path) -> None:
        self.base_url = ""
        self._state_dir, self._phase = state_dir, "starting"
        (state_dir / "logs").mkdir(parents=True, exist_ok=True)

    def __call__(self, text: str, phase: str | None = None) -> None:
        self._phase = phase or self._phase
        Status(os.getpid(), self._phase, text, self.base_url).write(self._state_dir)
        with (self._state_dir / "logs/supervisor.log").open("a") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {text}\n")
