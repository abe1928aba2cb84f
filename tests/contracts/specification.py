"""AsyncAPI's own JSON Schema, which validates our documents.

It is fetched once from npm's registry with npm's client, checked by its hash and stored under `.local`. Without npm or
a network, the test that needs it is skipped.
"""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tests.contracts.scratch import ROOT

PACKAGE = "@asyncapi/specs@6.11.1"
SHA512 = "0375812ea00a1a8276fba15616da63065090d6814272ce06c45ef3b081af36aa7f9251941e3940dda01c67d5cc3292c613cccf7980f3db1f4598ee834ae2ab69"  # noqa: E501
STORED = ROOT / ".local/asyncapi/3.0.0-6.11.1.json"


def specification() -> dict[str, Any] | None:
    """The JSON Schema of AsyncAPI 3.0.0; None if it is not available. Raises AssertionError for another package."""
    if not STORED.exists():
        npm = shutil.which("npm")
        if npm is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            command = [npm, "pack", "--silent", PACKAGE]
            done = subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=90)
            packed = sorted(Path(folder).glob("*.tgz"))
            if done.returncode or not packed:
                return None
            archive = packed[0].read_bytes()
        assert hashlib.sha512(archive).hexdigest() == SHA512, f"{PACKAGE} does not have the expected hash"
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            member = files.extractfile("package/schemas/3.0.0.json")
            assert member is not None
            STORED.parent.mkdir(parents=True, exist_ok=True)
            STORED.write_bytes(member.read())
    schema: dict[str, Any] = json.loads(STORED.read_bytes())
    return schema
