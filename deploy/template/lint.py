"""cfn-lint before every deployment: it finds what an embedded AWS would ignore silently."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from deploy.errors import TemplateError

LINT_SECONDS = 180
_ENTRY = "import sys; from cfnlint.runner import main; sys.exit(main())"


def lint(templates: Mapping[str, str], cache: Path, *, region: str) -> None:
    """Check rendered templates, by name. Clean ones are remembered in the folder `cache` by their hash, because a check
    takes seconds.

    Raises TemplateError with every finding, one per line.
    """
    cache.mkdir(parents=True, exist_ok=True)
    rules = f"cfn-lint {version('cfn-lint')} {region}\n"
    dirty = {}
    for name, body in sorted(templates.items()):
        digest = hashlib.sha256((rules + body).encode()).hexdigest()[:32]
        if not (cache / digest).exists():
            dirty[cache / f"{digest}.{name}.json"] = body
    if not dirty:
        return
    for path, body in dirty.items():
        path.write_text(body)
    try:
        findings = _run(list(dirty), region)
    finally:
        for path in dirty:
            path.unlink(missing_ok=True)
    if findings:
        raise TemplateError("cfn-lint refuses the templates:\n" + "\n".join(findings))
    for path in dirty:
        (cache / path.name.split(".", 1)[0]).touch()


def _run(files: list[Path], region: str) -> list[str]:
    # A process of its own: the import takes most of a second and a lot of memory, and callers go on meanwhile.
    command = [sys.executable, "-c", _ENTRY, "--format", "json", "--regions", region, "--", *map(str, files)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LINT_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise TemplateError(f"cfn-lint took longer than {LINT_SECONDS} s") from None
    try:
        findings = json.loads(done.stdout or "[]")
    except ValueError:
        findings = None
    if findings is None or (done.returncode != 0 and not findings):
        raise TemplateError(f"cfn-lint failed with code {done.returncode}: {(done.stderr or done.stdout).strip()}")
    lines = []
    for finding in findings:
        path = ".".join(map(str, finding.get("Location", {}).get("Path") or ["the top"]))
        name = Path(finding["Filename"]).name.split(".")[1]
        lines.append(f"{name}: {finding.get('Rule', {}).get('Id', '?')} {finding.get('Message')} at {path}")
    return lines
