"""One system per folder: two would take each other for leftovers of a crash, and end them."""

import fcntl
import os
from pathlib import Path
from typing import IO

from deploy.errors import LocalError


class FolderLock:
    """A lock that is held while a system runs in a folder; the operating system releases it with the process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises LocalError, naming the process that holds it, if another does."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise LocalError(
                f"a system runs in {self._path.parent} already (process {self.holder()}); stop it with `make down`"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def holder(self) -> int | None:
        """The process that holds the lock now; None if none does."""
        try:
            with self._path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = file.read().strip()
                    return int(text) if text.isdigit() else None
        except FileNotFoundError:
            return None
        return None
