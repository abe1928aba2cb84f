"""`python -m examples.acme.make_acme [folder]`: generates the sample company, from the root of the checkout.

The same seed gives the same bytes with the same versions of reportlab and libvips. Without a folder, the files beside
this module are overwritten.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from examples.acme import papers, pictures, plan

HERE = Path(__file__).parent
SEED = 20261201
FIRST_DUE, LAST_DUE = date(2026, 12, 1), date(2027, 3, 31)
HOLIDAYS = {date(2026, 12, 25), date(2027, 1, 1), date(2027, 3, 26), date(2027, 3, 29)}
UNASSIGNED, WITHOUT_DUE_DATE = 0.12, 0.20
LONG_TEXT_ROW = 321  # the description of several lines comes after the last bad row: up to there, a row is a line

# email, name, role, department; the fourteenth is malformed, the twenty-second repeats an earlier one in different case
PEOPLE = [
    ("nadia.haddad@acme.example", "Nadia Haddad", "admin", "Operations"),
    ("jonas.weber@acme.example", "Jonas Weber", "manager", "Web"),
    ("tomas.herrera@acme.example", "Tomás Herrera", "member", "Web"),
    ("lukasz.zielinski@acme.example", "Łukasz Zieliński", "member", "Operations"),
    ("aarav.mehta@acme.example", "Aarav Mehta", "member", "Mobile"),
    ("priya.raman@acme.example", "Priya Raman", "manager", "Mobile"),
    ("beatriz.cortes@acme.example", "Beatriz Côrtes", "member", "Documentation"),
    ("mei-lin.chou@acme.example", "Mei-Lin Chou", "member", "Web"),
    ("hana.suzuki@acme.example", "Hana Suzuki", "member", "Operations"),
    ("harriet.cole@acme.example", "Harriet Cole", "viewer", "Finance"),
    ("camille.lefevre@acme.example", "Camille Lefèvre", "member", "Mobile"),
    ("oluwaseun.adeyemi@acme.example", "Oluwaseun Adeyemi", "member", "Web"),
    ("kofi.mensah@acme.example", "Kofi Mensah", "member", "Operations"),
    ("stelios.papadakis.acme.example", "Stelios Papadakis", "member", "Support"),
    ("eilidh.macleod@acme.example", "Eilidh MacLeod", "member", "Documentation"),
    ("zoe.devries@acme.example", "Zoë de Vries", "manager", "Product"),
    ("minhanh.nguyen@acme.example", "Nguyễn Minh Anh", "member", "Mobile"),
    ("freya.nygard@acme.example", "Freya Nygård", "member", "Web"),
    ("ingrid.solheim@acme.example", "Ingrid Solheim", "member", "Operations"),
    ("samuel.oconnor@acme.example", "Samuel O'Connor", "member", "Mobile"),
    ("viktor.lindqvist@acme.example", "Viktor Lindqvist", "viewer", "Legal"),
    ("Hana.Suzuki@ACME.example", "Hana Suzuki", "member", "Operations"),
    ("marek.dvorak@acme.example", "Marek Dvořák", "member", "Web"),
    ("yusuf.demir@acme.example", "Yusuf Demir", "member", "Documentation"),
    ("rosa.bianchi@acme.example", "Rosa Bianchi", "member", "Support"),
]
BAD_PEOPLE = {"stelios.papadakis.acme.example", "Hana.Suzuki@ACME.example"}
DEPARTMENT = {"WEB": "Web", "OPS": "Operations", "MOB": "Mobile", "DOC": "Documentation"}
# Second sentences of descriptions, by label; for other labels, one of the sentences that fit anywhere.
ANYWHERE = [
    "Estimate first; if it is more than three days, split it.",
    "See the notes of the planning meeting.",
    "Write down here what you find out.",
    "Please pair on this with somebody who has not done it before.",
]
BY_LABEL = {
    "feature": [
        'Came up in the call with Verhuur Zuid: "we would use it daily".',
        "A first version for one depot is enough.",
        "Two shops have offered to try it out.",
    ],
    "bug": ["Support has the tickets, four so far.", "Write a test that fails before you fix it."],
    "ux": ["Ask Zoë if anything about the scope is unclear.", "Try it with two people from the counter first."],
    "cleanup": ["Carried over from the third quarter, for the second time."],
    "tech-debt": ["No change for the shops, so no line in the release notes."],
    "guide": ["Talk to support before starting, they have examples.", "Have somebody read it who has never done it."],
    "security": ["Keep the details out of the public release notes."],
    "cost": ["Send finance the figures before and after."],
}


@dataclass(frozen=True, slots=True)
class Task:
    """One row of backlog.csv, in the order of its columns."""

    project: str
    title: str
    description: str
    priority: str
    assignee: str
    due_date: str
    labels: str

    def cells(self) -> tuple[str, ...]:
        return (self.project, self.title, self.description, self.priority, self.assignee, self.due_date, self.labels)


COLUMNS = ("project", "title", "description", "priority", "assignee", "due_date", "labels")

# The five bad rows, by their number among the data rows (the line in the file is one more).
BAD_TASKS = {
    37: Task(
        "OPS", "", "Somebody pressed Enter too early.", "medium", "kofi.mensah@acme.example", "2027-01-20", "alerts"
    ),
    104: Task(
        "MOB",
        "Tags in the cold store cannot be scanned",
        "At -20 °C they are covered with frost within a minute. Try the larger ones.",
        "super-high",
        "camille.lefevre@acme.example",
        "2027-01-15",
        "scanner;bug",
    ),
    171: Task(
        "WEB",
        "Close the books of February with one button",
        "Lock the invoices, write the export, send it to the tax adviser.",
        "high",
        "mei-lin.chou@acme.example",
        "2027-02-30",
        "invoices;feature",
    ),
    238: Task(
        "DOC",
        "Have the Swedish pages read by the agency",
        "They know the trade and have time in January.",
        "low",
        "nobody@elsewhere.example",
        "2027-01-22",
        "l10n",
    ),
    305: Task(
        "we b!",
        "Show the length of the queue at the counter",
        "A number next to the depot's name, refreshed each minute.",
        "medium",
        "freya.nygard@acme.example",
        "2027-03-12",
        "counter;ux",
    ),
}


def read_texts(path: Path) -> list[Task]:
    """The tasks with the fields in their text: project, title, labels, description, sometimes the due date."""
    tasks: list[Task] = []
    project = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            project = line.strip("[]")
        elif line and not line.startswith("#"):
            title, labels, description, *due = line.split(" | ")
            text = description.replace("\\n", "\n")
            tasks.append(Task(project, title, text, "", "", due[0] if due else "", labels))
    return tasks


def choose_priority(rng: random.Random, task: Task) -> str:
    labels = set(task.labels.split(";"))
    weights = [25, 47, 22, 4]
    if labels & {"incident", "security", "payments", "safety"}:
        weights = [5, 35, 42, 18]
    elif "bug" in labels:
        weights = [10, 45, 36, 9]
    elif labels & {"cleanup", "research", "tech-debt", "marketing", "style"}:
        weights = [55, 38, 7, 0]
    return rng.choices(["low", "medium", "high", "urgent"], weights)[0]


def choose_assignee(rng: random.Random, project: str) -> str:
    """An assignee, mostly from the project's department, with fewer tasks for managers."""
    able = [person for person in PEOPLE if person[0] not in BAD_PEOPLE and person[2] != "viewer"]
    weights = [
        (24 if department == DEPARTMENT[project] else 2) * (1 if role == "member" else 0.5)
        for _, _, role, department in able
    ]
    return rng.choices(able, weights)[0][0]


def choose_due_date(rng: random.Random, priority: str) -> str:
    span = (LAST_DUE - FIRST_DUE).days
    latest = {"urgent": span // 4, "high": span * 2 // 3}.get(priority, span)
    while True:
        day = FIRST_DUE + timedelta(days=rng.randint(0, latest))
        if day.weekday() < 5 and day not in HOLIDAYS:
            return day.isoformat()


def choose_sentence(rng: random.Random, task: Task) -> str:
    labels = task.labels.split(";")
    return rng.choice([sentence for label in labels for sentence in BY_LABEL.get(label, [])] or ANYWHERE)


def make_backlog() -> list[Task]:
    rng = random.Random(SEED)  # noqa: S311 - sample data, nothing secret
    tasks = read_texts(HERE / "backlog_texts.txt")
    rng.shuffle(tasks)
    unassigned = set(rng.sample(range(len(tasks)), round(len(tasks) * UNASSIGNED)))
    undated = [index for index, task in enumerate(tasks) if not task.due_date]
    without_date = set(rng.sample(undated, round(len(tasks) * WITHOUT_DUE_DATE)))
    rows: list[Task] = []
    for index, task in enumerate(tasks):
        priority = choose_priority(rng, task)
        due = task.due_date or choose_due_date(rng, priority)
        assignee = choose_assignee(rng, task.project)
        longer = "\n" not in task.description and rng.random() < 0.25
        rows.append(
            replace(
                task,
                priority=priority,
                description=f"{task.description} {choose_sentence(rng, task)}" if longer else task.description,
                assignee="" if index in unassigned else assignee,
                due_date="" if index in without_date else due,
            )
        )
    long_text = next(task for task in rows if "\n" in task.description)
    rows.remove(long_text)
    for number, task in sorted({**BAD_TASKS, LONG_TEXT_ROW: long_text}.items()):
        rows.insert(number - 1, task)
    return rows


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def make(folder: Path) -> None:
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "people.csv", ("email", "name", "role", "department"), PEOPLE)
    write_csv(folder / "backlog.csv", COLUMNS, [task.cells() for task in make_backlog()])
    pictures.write_lake(files / "lake-at-dawn.jpg")
    pictures.write_valley(files / "valley-upright.jpg")
    pictures.write_night(files / "night-over-the-ridge.png")
    plan.write_plan(files / "first-quarter-plan.pdf")
    (files / "meeting-notes.txt").write_bytes(papers.MEETING_NOTES.encode())
    (files / "disguised.png").write_bytes(papers.DISGUISED.encode())
    (files / "empty.txt").write_bytes(b"")
    (files / "installer.exe").write_bytes(papers.installer(SEED))
    (files / "huge-export.csv").write_bytes(papers.huge_export(SEED).encode())


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
