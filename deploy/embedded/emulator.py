"""Starts and stops the embedded AWS. Its state is in one folder and survives a stop."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.aws import Aws
from deploy.embedded.emulator_mailbox import Mail, read_mailbox
from deploy.embedded.ports import HOST, is_free, remembered_port
from deploy.embedded.processes import end_leftover, remember, stop, tail
from deploy.errors import EmulatorError
from deploy.services import ROOT

START_SECONDS = 30.0
STOP_SECONDS = 30.0


def emulator_venv() -> Path:
    """The environment of ministack: TENFOLD_EMULATOR_VENV, else `.local/emulator-venv` of the checkout."""
    return Path(os.environ.get("TENFOLD_EMULATOR_VENV") or ROOT / ".local/emulator-venv")


class Emulator:
    """One embedded AWS, with all its state in `state_dir`.

    Its port is chosen at the first start and remembered in `state_dir/port`, because the queue URLs and resources in
    its state contain the port. With `enforced` it checks every signature and refuses what the caller's policies do not
    allow, except for its root user. Use as a context manager, or start() and stop().
    """

    def __init__(
        self, state_dir: Path, *, port: int | None = None, venv: Path | None = None, enforced: bool = False
    ) -> None:
        self.state_dir, self._enforced = state_dir.resolve(), enforced
        self.venv = venv or emulator_venv()
        self.log = self.state_dir / "emulator.log"
        self._pid_file = self.state_dir / "emulator.pid"
        self.port = remembered_port(self.state_dir / "port", port)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def mailbox_url(self) -> str:
        """The address at which people read the sent e-mails (JSON)."""
        return f"{self.endpoint_url}/_ministack/ses/messages"

    @property
    def aws(self) -> Aws:
        return Aws(self.endpoint_url)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def mailbox(self) -> list[Mail]:
        """Every e-mail sent since the start, oldest first. Raises EmulatorError if the embedded AWS does not answer."""
        return read_mailbox(self.mailbox_url)

    def start(self, seconds: float = START_SECONDS) -> None:
        """Start it and wait until it is healthy. Raises EmulatorError when that takes longer than `seconds`."""
        if self._process and self._process.poll() is None:
            return
        binary = self.venv / "bin/ministack"
        if not binary.exists():
            raise EmulatorError(f"the embedded AWS is not installed in {self.venv}; run `make setup`")
        end_leftover(self._pid_file, STOP_SECONDS)
        if not is_free(self.port):
            raise EmulatorError(
                f"port {self.port} of the embedded AWS is in use by another program; stop that program, "
                f"or write another port into {self.state_dir / 'port'}"
            )
        environment = self._environment()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [str(binary)],
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.state_dir,
                start_new_session=True,
            )
        # The process table lists the interpreter before the script; the path of the script is unique to us.
        remember(self._pid_file, self._process.pid, [str(binary)])
        self._wait_until_healthy(time.monotonic() + seconds)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Stop it and wait; it writes its state on the way out. Raises EmulatorError if it had to be killed: then the
        state since its start is lost."""
        if self._process is None:
            return
        ended = stop(self._process, seconds)
        self._process = None
        self._pid_file.unlink(missing_ok=True)
        if not ended:
            raise EmulatorError(f"the embedded AWS did not stop in {seconds:.0f} s and was killed; see {self.log}")

    def check(self) -> None:
        """Raises EmulatorError, with the end of its log, if it has died."""
        if self._process is not None and self._process.poll() is not None:
            raise EmulatorError(
                f"the embedded AWS died with code {self._process.returncode}; "
                f"its log {self.log} ends:\n{tail(self.log)}"
            )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        # Unpacked functions pile up in its temporary folder, so we give it one that starts empty.
        temporary = self.state_dir / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return inherited | {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": HOST,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state_dir / "aws"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.state_dir / "s3"),
            "TMPDIR": str(temporary),
            "LOG_LEVEL": "WARNING",
            "AUTH": "true" if self._enforced else "false",
            # Servers of other protocols, on fixed ports that two instances would both want.
            "IOT_MTLS_ENABLED": "false",
            "SFTP_ENABLED": "false",
            # Otherwise a failing trigger would issue a token without claims instead of refusing the sign-in.
            "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
        }

    def _wait_until_healthy(self, deadline: float) -> None:
        while True:
            self.check()
            try:
                with urllib.request.urlopen(f"{self.endpoint_url}/_ministack/health", timeout=2):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline:
                    self.stop()
                    raise EmulatorError(f"the embedded AWS is not healthy in time; see {self.log}") from None
            time.sleep(0.03)
