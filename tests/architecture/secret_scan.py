"""`python -m tests.architecture.secret_scan`: refuses secrets in files that git tracks.

It searches for texts with the form of a credential (keys of clouds and platforms, private keys, tokens), not for random
texts, since hashes, ids and golden files are full of them. A line that must look like a credential ends with
`pragma: allowlist secret`.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[2]
TOO_VAGUE = {"Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector", "IPPublicDetector"}
GENERATED = {".lock", ".csv", ".png", ".jpg", ".pdf", ".xlsx"}
PROCESSES = 2


def find_secrets(paths: Iterable[Path]) -> Iterator[str]:
    """One line per text that looks like a secret."""
    known: dict[str, type] = get_mapping_from_secret_type_to_class()
    names = [finder.__name__ for finder in known.values()]
    with transient_settings({"plugins_used": [{"name": name} for name in names if name not in TOO_VAGUE]}):
        for path in paths:
            for secret in scan_file(str(path)):
                yield f"{path}:{secret.line_number}: {secret.type}"


def _find_in_part(paths: list[Path]) -> list[str]:
    return list(find_secrets(paths))


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and Path(name).suffix not in GENERATED]


def main() -> int:
    paths = tracked_files()
    with ProcessPoolExecutor(PROCESSES) as pool:
        lines = [
            line for part in pool.map(_find_in_part, (paths[n::PROCESSES] for n in range(PROCESSES))) for line in part
        ]
    for line in sorted(lines):
        print(line)
    if lines:
        print("These look like secrets: remove them, and replace them where they are valid.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
