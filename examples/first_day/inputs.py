"""The input folder: its good and bad rows and files, and the people who play each part."""

import csv
import mimetypes
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ADDRESS = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
PROJECT_KEY = re.compile(r"^[A-Z][A-Z0-9]{1,9}$")
ROLES = ("viewer", "member", "manager", "admin")
PRIORITIES = ("", "low", "medium", "high", "urgent")
SAMPLE = Path(__file__).parent.parent / "acme"

MIB = 1024 * 1024
UPLOAD_LIMITS = {
    "image/jpeg": 10 * MIB,
    "image/png": 10 * MIB,
    "image/webp": 10 * MIB,
    "image/gif": 10 * MIB,
    "application/pdf": 20 * MIB,
    "text/plain": MIB,
    "text/csv": MIB // 4,
}
MAGIC = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG",
    "image/webp": b"RIFF",
    "image/gif": b"GIF8",
    "application/pdf": b"%PDF",
}


class InputError(Exception):
    """The input folder cannot be played; the message says why."""


@dataclass(frozen=True)
class Invitee:
    row: int
    email: str
    name: str
    role: str
    good: bool


@dataclass(frozen=True)
class BacklogRow:
    row: int
    project: str
    title: str
    assignee: str


@dataclass(frozen=True)
class Upload:
    """A file to upload. `fate` is its expected end: ready, rejected after the upload, or a refusal's HTTP status."""

    path: Path
    content_type: str
    fate: str | int


@dataclass(frozen=True)
class Inputs:
    people: list[Invitee]
    backlog_text: str
    backlog: list[BacklogRow]
    """Valid rows; only the day shows whether their assignees are members."""
    backlog_rows: int
    uploads: list[Upload]

    @property
    def good_people(self) -> list[Invitee]:
        return [person for person in self.people if person.good]

    def least_busy(self) -> list[Invitee]:
        """Good people, those with the fewest tasks first: they are to decline, to be revoked or to be removed."""
        load = Counter(row.assignee.lower() for row in self.backlog)
        return sorted(self.good_people, key=lambda person: (load[person.email.lower()], person.row))


def read_inputs(folder: Path) -> Inputs:
    """Reads the folder. Raises InputError if something is missing or not enough for a day."""
    for part in ("people.csv", "backlog.csv", "files"):
        if not (folder / part).exists():
            raise InputError(f"{folder} has no {part}; a folder to play has people.csv, backlog.csv and files/")
    backlog_text = (folder / "backlog.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(backlog_text.splitlines(keepends=True)))
    inputs = Inputs(
        people=_people(folder / "people.csv"),
        backlog_text=backlog_text,
        backlog=[good for number, row in enumerate(rows, 1) if (good := _backlog_row(number, row))],
        backlog_rows=len(rows),
        uploads=[_upload(path) for path in sorted((folder / "files").iterdir()) if path.is_file()],
    )
    if len(inputs.good_people) < 6 or not any(person.role == "manager" for person in inputs.good_people):
        raise InputError(f"{folder}/people.csv needs at least six good rows, one of them a manager")
    return inputs


def _people(path: Path) -> list[Invitee]:
    seen: set[str] = set()
    people = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 1):
            email = (row.get("email") or "").strip()
            good = bool(ADDRESS.match(email)) and email.lower() not in seen and row.get("role") in ROLES
            seen.add(email.lower())
            people.append(Invitee(number, email, row.get("name") or email, row.get("role") or "", good))
    return people


def _backlog_row(number: int, row: dict[str, str]) -> BacklogRow | None:
    """The row; None if it is not valid."""
    title, project = (row.get("title") or "").strip(), (row.get("project") or "").strip()
    try:
        date.fromisoformat(row.get("due_date") or "2027-01-31")
    except ValueError:
        return None
    good = 0 < len(title) <= 200 and PROJECT_KEY.match(project) and (row.get("priority") or "") in PRIORITIES
    return BacklogRow(number, project, title, (row.get("assignee") or "").strip()) if good else None


def _upload(path: Path) -> Upload:
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    size = path.stat().st_size
    if content_type not in UPLOAD_LIMITS:
        return Upload(path, content_type, 415)
    if size == 0:
        return Upload(path, content_type, 422)
    if size > UPLOAD_LIMITS[content_type]:
        return Upload(path, content_type, 413)
    start = path.read_bytes()[:512]
    is_genuine = start.startswith(MAGIC[content_type]) if content_type in MAGIC else b"\x00" not in start
    return Upload(path, content_type, "ready" if is_genuine else "rejected")
