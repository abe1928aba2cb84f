"""The files that are generated from the contracts and the declarations, and a check for stale ones."""

from datetime import date
from pathlib import Path

from contracts import schemas
from deploy.contracts import asyncapi, base, golden, page
from deploy.contracts import schema_history as history
from deploy.contracts.declarations import Declarations

CURE = "Run `make generate` and commit what it changes."


def expected_files(tree: Declarations, past: history.SchemaHistory) -> dict[Path, str]:
    """The generated files and their texts, by their paths from the root of the repository."""
    return {
        **asyncapi.render_documents(tree),
        page.FILE: page.render_page(tree, past),
        **{path.relative_to(schemas.FOLDER.parents[1]): text for path, text in schemas.render_all().items()},
    }


def generate(tree: Declarations, root: Path) -> list[str]:
    """Write missing and stale files. Golden events are only added. Returns the paths that changed, sorted."""
    committed = base.snapshot(None, root)
    before = base.files_of("HEAD", root, [history.FILE]) if base.is_checkout(root) else {}
    past = history.Past(committed, base.parse_json(before, history.FILE))
    now = history.bring_up_to_date(history.read(root), past, dict(tree.snapshot.schemas), f"{date.today():%Y-%m-%d}")  # noqa: DTZ011
    files = {**expected_files(tree, now), Path(history.FILE): history.render(now)}
    files |= {path.relative_to(root): text for path, text in golden.missing(dict(tree.snapshot.schemas), root).items()}
    changed = []
    for path, text in files.items():
        if _differs(root / path, text):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
            changed.append(path.as_posix())
    for path in _surplus(root, files):
        path.unlink()
        changed.append(path.relative_to(root).as_posix())
    return sorted(changed)


def stale(tree: Declarations, root: Path) -> list[str]:
    """The files that differ from the contracts and declarations, one line each."""
    past = history.read(root)
    expected = expected_files(tree, past)
    problems = [f"{path} is stale" for path, text in expected.items() if _differs(root / path, text)]
    problems += [f"{path.relative_to(root)} belongs to nothing" for path in _surplus(root, expected)]
    schemas_now = dict(tree.snapshot.schemas)
    problems += [
        f"{history.FILE} lacks the last change of {name}"
        for name, schema in schemas_now.items()
        if not history.is_current(past.get(name, []), schema)
    ]
    problems += [f"{path.relative_to(root)} is missing" for path in golden.missing(schemas_now, root)]
    return sorted(problems)


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_bytes() != text.encode()


def _surplus(root: Path, files: dict[Path, str]) -> list[Path]:
    folders = asyncapi.FOLDER, base.SCHEMAS
    return [
        path
        for folder in folders
        for path in sorted((root / folder).glob("*.json"))
        if path.relative_to(root) not in files
    ]
