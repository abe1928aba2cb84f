"""How far the supervisor is, in a file that every command can read."""

import json
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
