"""The contracts and their readers at a git revision: read from its committed files, without running its code."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from contracts.check.shape import Schema, resolve
from contracts.check.verdict import Reader, Snapshot
from contracts.event import ContractError
from deploy.services import ROOT

SCHEMAS, GOLDEN, DOCUMENTS = "contracts/schemas", "contracts/golden", "docs/asyncapi"
FILES = (SCHEMAS, GOLDEN, DOCUMENTS)


def snapshot(revision: str | None, root: Path = ROOT) -> Snapshot:
    """The snapshot at `revision`; None is HEAD, or the files on disk where there is no git.

    Raises ContractError for a revision that does not exist, and for a file that is not valid.
    """
    if revision is None and not is_checkout(root):
        paths = (path for folder in FILES for path in sorted((root / folder).rglob("*.json")))
        return parse({path.relative_to(root).as_posix(): path.read_bytes() for path in paths})
    revision = revision or "HEAD"
    committed = parse(files_of(revision, root, FILES))
    code = files_of(revision, root, sorted({reader.file for reader in committed.readers})) if committed.readers else {}
    readers = []
    for reader in committed.readers:
        text = code.get(reader.file, b"").decode(errors="replace")
        match = re.search(rf"^(async )?def {re.escape(reader.handler)}\b", text, re.MULTILINE)
        readers.append(replace(reader, line=text.count("\n", 0, match.start()) + 1 if match else 0))
    return replace(committed, readers=tuple(readers))


def parse(files: dict[str, bytes]) -> Snapshot:
    schemas: dict[str, Schema] = {}
    for path, text in files.items():
        if path.startswith(f"{SCHEMAS}/"):
            schema = _json(path, text)
            if "x-type" not in schema or not isinstance(schema.get("properties"), dict):
                raise ContractError(f"{path} is not the schema of an event; run `make generate` and commit it")
            if (twin := schema["x-type"]) in schemas or twin != Path(path).stem:
                raise ContractError(
                    f"{path} describes {twin}, which is not its name; run `make generate` and commit it"
                )
            schemas[twin] = schema
    readers: list[Reader] = []
    for path, text in files.items():
        if path.startswith(f"{DOCUMENTS}/") and Path(path).stem != "tenfold":
            readers += readers_in(_json(path, text), path)
    golden = {path: text for path, text in files.items() if path.startswith(f"{GOLDEN}/")}
    return Snapshot(schemas, tuple(readers), golden)


def readers_in(document: Schema, path: str) -> Iterator[Reader]:
    """The readers in a service's AsyncAPI document."""
    try:
        for operation in document.get("operations", {}).values():
            if operation["action"] == "receive" and "x-reads" in operation:
                schema = resolve(operation["x-reads"], document)
                whole = {**schema, "components": document["components"]}
                yield Reader(
                    service=document["x-service"],
                    subscription=operation["x-subscription"],
                    event_type=operation["x-event"],
                    handler=operation["x-handler"]["function"],
                    file=operation["x-handler"]["file"],
                    line=0,
                    schema=whole,
                )
    except (KeyError, TypeError, AttributeError) as error:
        raise ContractError(f"{path} is not an AsyncAPI document of ours ({error!r}); run `make generate`") from None


def files_of(revision: str, root: Path, under: Sequence[str]) -> dict[str, bytes]:
    """The files below `under` at a revision, by path: two calls of git, however many files there are."""
    if _git(root, "rev-parse", "--quiet", "--verify", f"{revision}^{{commit}}") is None:
        raise ContractError(
            f"the base {revision} does not exist in this clone; name another (BASE=origin/main), or fetch it: "
            "git fetch --unshallow"
        )
    listed = _git(root, "ls-tree", "-r", "-z", revision, "--", *under) or b""
    entries = [line.split(b"\t", 1) for line in listed.split(b"\0") if line]
    hashes = [head.split()[2] for head, _ in entries]
    blobs = _git(root, "cat-file", "--batch", stdin=b"\n".join(hashes) + b"\n") if hashes else b""
    return dict(zip([name.decode() for _, name in entries], _blobs(blobs or b""), strict=True))


def is_checkout(root: Path) -> bool:
    """The folder itself is the top of a git work tree with a commit (not: a folder somewhere inside another's)."""
    top = _git(root, "rev-parse", "--show-toplevel")
    commit = _git(root, "rev-parse", "--quiet", "--verify", "HEAD")
    return top is not None and commit is not None and Path(top.decode().strip()).resolve() == root.resolve()


def _blobs(answer: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        yield answer[end + 1 : end + 1 + size]
        at = end + size + 2


def parse_json(files: dict[str, bytes], path: str) -> dict[str, Any]:
    """The JSON object in one of the files; empty if there is no such file. Raises ContractError."""
    return _json(path, files[path]) if path in files else {}


def _json(path: str, text: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ContractError(f"{path} is not JSON ({error}); restore it, or run `make generate`") from None
    if not isinstance(parsed, dict):
        raise ContractError(f"{path} is not a JSON object; restore it, or run `make generate`")
    return parsed


def _git(root: Path, *arguments: str, stdin: bytes | None = None) -> bytes | None:
    """The answer of git; None if it fails or is not installed."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(root), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)  # noqa: S603
    return done.stdout if done.returncode == 0 else None
