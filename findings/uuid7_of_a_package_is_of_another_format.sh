#!/usr/bin/env bash
# Question: one service makes its ids with the PyPI package uuid7, another with uuid-utils (or npm's uuid, or a later Python's own). Each says
# version 7, variant RFC 4122. Sorted as text, are ids in the order in which they were made, and do readers of one take the time out of the other?
#
# A good guess: yes. Version 7 begins with 48 bits of milliseconds since 1970 (RFC 9562), and that is why one takes it for keys and cursors.
# What happens: uuid7 0.1.0 follows a draft of 2021: 36 bits of whole seconds, then fractions. Version and variant are the same, so every
# check passes. But its ids of today begin with 06, those of RFC 9562 with 01: mixed, all of one kind sort before all of the
# other. uuid-utils reads the year 2203 out of them, and uuid7 reads 1983 out of an id of RFC 9562.
# What it means for a product like ours: with one such maker among several, "sort key = uuid7" lists, cursors and "everything since" queries are
# wrong, and so is a retention rule that takes the age from the id. Allow one maker per repository, and test that it decodes to now; keep
# created_at beside the id.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
python3 -m venv venv
quietly venv/bin/pip install 'uuid7==0.1.0' 'uuid-utils==1.2.0'
echo '{"private": true}' >package.json
quietly npm install --no-audit --no-fund --save-exact 'uuid@11.1.0'

cat >mix.py <<'PY'
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from importlib.metadata import version

import uuid_extensions
import uuid_utils


def of_npm() -> str:
    return subprocess.run(["node", "-e", "console.log(require('uuid').v7())"], capture_output=True, text=True, check=True).stdout.strip()


def milliseconds(text: str) -> datetime:
    return datetime.fromtimestamp(uuid_utils.UUID(text).timestamp / 1000, UTC)


MAKERS = {"uuid7": lambda: str(uuid_extensions.uuid7()), "uuid-utils": lambda: str(uuid_utils.uuid7()), "npm uuid": of_npm}
print(f"uuid7 {version('uuid7')}, uuid-utils {version('uuid-utils')}, npm uuid 11.1.0; made in this order:\n")
made, faults = [], []
for name in [*MAKERS, *MAKERS]:
    text = MAKERS[name]()
    made.append((name, text))
    parsed = uuid.UUID(text)
    by_draft = uuid_extensions.uuid_to_datetime(parsed)
    print(f"{name:12}{text}  version {parsed.version}, {parsed.variant}; read by uuid-utils {milliseconds(text):%Y-%m-%d}, by uuid7 {by_draft:%Y-%m-%d}")
    now = datetime.now(UTC)
    right = [abs((seen - now).total_seconds()) < 60 for seen in (milliseconds(text), by_draft.replace(tzinfo=UTC))]
    if right != ([False, True] if name == "uuid7" else [True, False]):
        faults.append(f"{name}: who reads the right time has changed: uuid-utils {right[0]}, uuid7 {right[1]}")
    if (parsed.version, parsed.variant) != (7, uuid.RFC_4122):
        faults.append(f"{name}: version {parsed.version}, {parsed.variant}")
    time.sleep(0.01)
order = [name for name, _ in sorted(made, key=lambda pair: pair[1])]
print("\nmade:   ", ", ".join(name for name, _ in made))
print("sorted: ", ", ".join(order))
if order != ["uuid-utils", "npm uuid", "uuid-utils", "npm uuid", "uuid7", "uuid7"]:
    faults.append(f"sorted order: {order}")
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
venv/bin/python mix.py
