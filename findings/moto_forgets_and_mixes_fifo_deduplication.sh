#!/usr/bin/env bash
# Question: a FIFO queue with DeduplicationScope=messageGroup (high throughput); the group is the tenant. Two tenants send the same body (or
# the same deduplication id). And one tenant sends it again after the first was received and deleted, seconds later. What arrives in moto?
#
# A good guess: what AWS does. The scope keeps tenants apart, so both messages arrive; and an id stays known for five minutes "even after the
# message has been received and deleted", so the third is dropped.
# What happens in moto 5.2.5: both the other way round. The second tenant's message is lost (the scope is stored, shown and not used), although
# its send answers with a message id of its own; and the repetition is delivered, since only messages that are still in the queue count.
# ministack 1.5.33 gets both right.
# What it means for a product like ours: a unit test on moto shows that a tenant's digest vanishes although the queue would deliver it, and that
# a redriven or repeated message works although AWS would swallow it for five minutes. Test queues of that kind on the emulator's server; and
# put the tenant into the deduplication id, which is right under both scopes and in every emulator.
set -euo pipefail

work=$(mktemp -d)
server=
cleanup() { [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"; }
trap cleanup EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
python3 -m venv emulator
quietly emulator/bin/pip install 'ministack==1.5.33' 'moto==5.2.5' 'boto3==1.43.106' 'cryptography==50.0.2'

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir state tmp
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 STATE_DIR=$work/state TMPDIR=$work/tmp IOT_MTLS_ENABLED=false SFTP_ENABLED=false LOG_LEVEL=WARNING \
    emulator/bin/ministack >server.log 2>&1 &
server=$!

cat >send.py <<'PY'
import sys
import time
import urllib.request

import boto3
import botocore
import moto

KEYS = {"region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
CASES = [("messageGroup", "by content"), ("messageGroup", "by id"), ("queue", "by content"), ("queue", "by id")]
AWS = [("AB", ""), ("AB", ""), ("A", ""), ("A", "")]
RECORDED = {"moto 5.2.5": [("A", "A")] * 4, "ministack 1.5.33": AWS}


def drain(client, url: str) -> str:
    groups = ""
    for _ in range(4):
        for message in client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]).get("Messages", []):
            groups += message["Attributes"]["MessageGroupId"]
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return "".join(sorted(groups))


def run(endpoint: str | None) -> list[tuple[str, str]]:
    client, seen = boto3.client("sqs", endpoint_url=endpoint, **KEYS), []
    for number, (scope, how) in enumerate(CASES):
        attributes = {
            "FifoQueue": "true", "ContentBasedDeduplication": str(how == "by content").lower(), "DeduplicationScope": scope,
            "FifoThroughputLimit": "perMessageGroupId" if scope == "messageGroup" else "perQueue",
        }
        url = client.create_queue(QueueName=f"digests-{number}.fifo", Attributes=attributes)["QueueUrl"]
        options = {} if how == "by content" else {"MessageDeduplicationId": "digest-2026-11-28"}
        for group in "AB":
            client.send_message(QueueUrl=url, MessageBody="digest", MessageGroupId=group, **options)
        first = drain(client, url)
        client.send_message(QueueUrl=url, MessageBody="digest", MessageGroupId="A", **options)
        seen.append((first, drain(client, url)))
    return seen


endpoint = f"http://127.0.0.1:{sys.argv[1]}"
for attempt in range(300):
    try:
        urllib.request.urlopen(endpoint + "/_ministack/health", timeout=2)
        break
    except OSError:
        time.sleep(0.1)
with moto.mock_aws():
    seen = {"moto 5.2.5": run(None)}
seen["ministack 1.5.33"] = run(endpoint)
print(f"moto {moto.__version__}, ministack 1.5.33, boto3 {boto3.__version__}, botocore {botocore.__version__}")
print("Tenants A and B send the same message; both are received and deleted; then A sends it once more.\n")
print(f"{'':24}" + "".join(f"{scope + ', ' + how:28}" for scope, how in CASES))
for name, answers in ({"AWS (documentation)": AWS} | seen).items():
    print(f"{name:24}" + "".join(f"{'first ' + (a or '-') + ', then ' + (b or '-'):28}" for a, b in answers))
faults = [
    f"{name}: {case}: recorded {before}, now {now}"
    for name, recorded in RECORDED.items()
    for case, before, now in zip(CASES, recorded, seen[name])
    if before != now
]
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
emulator/bin/python send.py "$port"
