#!/usr/bin/env bash
# Question: a CloudEvent whose subject is "Sprint 4" goes in binary mode from one official SDK to another: Python 2.x, Python 1.x API,
# JavaScript. Which pairs of writer and reader keep the subject? And "report%20final.pdf" (a file that is really called so)?
#
# A good guess: all of them; it is a space in plain ASCII text, and a header may hold it.
# What happens: the HTTP binding 1.0.2 (3.1.3.2) has space, quote, percent and non-ASCII percent-encoded when writing and decoded once when
# reading. Only the Python 2.x API does. It writes "Sprint%204", which the JavaScript SDK 10.0.0 and the 1.x API read as "Sprint%204". They
# write "report%20final.pdf" as it is, which the 2.x API reads as "report final.pdf". Same writer and reader: always right, so no round-trip
# test in one language sees it. Structured mode is not affected.
# What it means for a product like ours: raising Python's SDK from its 1.x to its 2.x API changes the bytes of every subject, partition key or
# extension with a space, and consumers that compare or route by it miss. Send structured mode, or keep such attributes to letters, digits, - and /.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
python3 -m venv venv
quietly venv/bin/pip install 'cloudevents==2.2.0'
echo '{"private": true}' >package.json
quietly npm install --no-audit --no-fund --save-exact 'cloudevents@10.0.0'

cat >sdk.js <<'JS'
const { HTTP, CloudEvent } = require("cloudevents");
const { write, read } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify({
  written: write.map((subject) => HTTP.binary(new CloudEvent({ id: "1", type: "t", source: "/s", subject, data: { a: 1 } })).headers["ce-subject"]),
  read: read.map((subject) => HTTP.toEvent({
    headers: { "content-type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-type": "t", "ce-source": "/s", "ce-subject": subject },
    body: '{"a": 1}' }).subject),
}));
JS
cat >exchange.py <<'PY'
import json
import subprocess
import sys
from importlib.metadata import version

from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.conversion import to_binary
from cloudevents.v1.http import CloudEvent as OldEvent
from cloudevents.v1.http import from_http

SUBJECTS = ["Sprint 4", "report%20final.pdf", "tasks/7"]
BASE = {"id": "1", "type": "t", "source": "/s"}


def javascript(write: list[str], read: list[str]) -> dict[str, list[str]]:
    done = subprocess.run(["node", "sdk.js"], input=json.dumps({"write": write, "read": read}), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def headers(subject: str) -> dict[str, str]:
    return {"content-type": "application/json", "ce-specversion": "1.0", "ce-subject": subject} | {f"ce-{k}": v for k, v in BASE.items()}


WRITE = {
    "Python 2.x API": lambda s: http.to_binary_event(CloudEvent(BASE | {"specversion": "1.0", "subject": s, "datacontenttype": "application/json"}, {"a": 1})).headers["ce-subject"],
    "Python v1 API": lambda s: to_binary(OldEvent(BASE | {"subject": s}, {"a": 1}))[0]["ce-subject"],
    "JavaScript": lambda s: javascript([s], [])["written"][0],
}
READ = {
    "Python 2.x API": lambda s: http.from_http_event(http.HTTPMessage(headers=headers(s), body=b'{"a": 1}')).get_subject(),
    "Python v1 API": lambda s: from_http(headers(s), b'{"a": 1}')["subject"],
    "JavaScript": lambda s: javascript([], [s])["read"][0],
}
RECORDED = {  # writer: for each subject, what the three readers give
    "Python 2.x API": [["Sprint 4", "Sprint%204", "Sprint%204"], ["report%20final.pdf", "report%2520final.pdf", "report%2520final.pdf"], ["tasks/7"] * 3],
    "Python v1 API": [["Sprint 4"] * 3, ["report final.pdf", "report%20final.pdf", "report%20final.pdf"], ["tasks/7"] * 3],
    "JavaScript": [["Sprint 4"] * 3, ["report final.pdf", "report%20final.pdf", "report%20final.pdf"], ["tasks/7"] * 3],
}
print(f"cloudevents {version('cloudevents')} (PyPI), cloudevents 10.0.0 (npm); binary mode\n")
faults = []
for number, subject in enumerate(SUBJECTS):
    print(f"subject {subject!r}\n  {'written by':18}{'ce-subject':26}" + "".join(f"{'read by ' + name:26}" for name in READ))
    for writer, write in WRITE.items():
        wire = write(subject)
        read = [reader(wire) for reader in READ.values()]
        print(f"  {writer:18}{wire:26}" + "".join(f"{text:26}" for text in read))
        if read != RECORDED[writer][number]:
            faults.append(f"{subject!r} by {writer}: recorded {RECORDED[writer][number]}, now {read}")
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
venv/bin/python exchange.py
