#!/usr/bin/env bash
# Question: a function on an SQS queue reports partial failures (ReportBatchItemFailures). Its report is slightly wrong: an item identifier
# that is null, or empty, or under a misspelt key. Or the list itself is null. What becomes of the three messages of the batch in ministack?
#
# A good guess: as in AWS's guide for Lambda. An empty or null identifier, or a bad key name, makes the whole batch a failure: all three
# messages come back, and go to the dead-letter queue in the end. A null list, an empty answer or none is a complete success.
# What happens in ministack 1.5.33: the other way round. A wrong identifier counts as no failure: all three messages are deleted, none is
# retried, none is in the dead-letter queue. A null list, which AWS takes for success, is a failure of the whole batch. The right report and
# an exception work as on AWS.
# What it means for a product like ours: on the laptop a mistake in the report looks like success, with messages lost, so no end-to-end test
# there can prove the error path; on AWS a function that answers with a null list is fine, and on the laptop it fills the dead letters. Check
# the report in a unit test of the handler: each identifier is a messageId of its batch, and the list is always a list.
set -euo pipefail

work=$(mktemp -d)
server=
cleanup() { [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"; }
trap cleanup EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
python3 -m venv emulator
quietly emulator/bin/pip install 'ministack==1.5.33' 'boto3==1.43.106' 'cryptography==50.0.2'

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir state tmp
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 STATE_DIR=$work/state TMPDIR=$work/tmp IOT_MTLS_ENABLED=false SFTP_ENABLED=false LOG_LEVEL=WARNING \
    PATH=$work/emulator/bin:$PATH emulator/bin/ministack >server.log 2>&1 &
server=$!

cat >report.py <<'PY'
import io
import json
import sys
import time
import urllib.request
import zipfile

import boto3
import botocore

ENDPOINT = f"http://127.0.0.1:{sys.argv[1]}"
KEYS = {"region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test", "endpoint_url": ENDPOINT}
FIRST = "event['Records'][0]['messageId']"
# What the function returns; how many of three messages AWS would retry, by its guide; how many ministack was seen to retry.
CASES = {
    "the id of the first message": (f"{{'batchItemFailures': [{{'itemIdentifier': {FIRST}}}]}}", 1, 1),
    "an empty id": ("{'batchItemFailures': [{'itemIdentifier': ''}]}", 3, 0),
    "a null id": ("{'batchItemFailures': [{'itemIdentifier': None}]}", 3, 0),
    "a misspelt key": (f"{{'batchItemFailures': [{{'itemIdentifer': {FIRST}}}]}}", 3, 0),
    "a null list": ("{'batchItemFailures': None}", 0, 3),
    "an empty list": ("{'batchItemFailures': []}", 0, 0),
    "nothing": ("None", 0, 0),
    "an exception": ("1 / 0", 3, 3),
}
for attempt in range(300):
    try:
        urllib.request.urlopen(ENDPOINT + "/_ministack/health", timeout=2)
        break
    except OSError:
        time.sleep(0.1)
sqs, functions = boto3.client("sqs", **KEYS), boto3.client("lambda", **KEYS)


def attribute(url: str, name: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]


def waiting(url: str) -> int:
    return sum(int(attribute(url, "ApproximateNumberOfMessages" + kind)) for kind in ("", "NotVisible"))


queues = {}
for number, (name, (answer, _, _)) in enumerate(CASES.items()):
    letters = sqs.create_queue(QueueName=f"letters-{number}")["QueueUrl"]
    policy = {"deadLetterTargetArn": attribute(letters, "QueueArn"), "maxReceiveCount": "1"}
    # A message gets one try, and is a dead letter 12 s later if that failed.
    queue = sqs.create_queue(QueueName=f"work-{number}", Attributes={"VisibilityTimeout": "12", "RedrivePolicy": json.dumps(policy)})["QueueUrl"]
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(3)])
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("main.py", f"def handle(event, context):\n    return {answer}\n")
    functions.create_function(
        FunctionName=f"handler-{number}", Runtime="python3.11", Handler="main.handle", Timeout=11,
        Role="arn:aws:iam::000000000000:role/any", Code={"ZipFile": package.getvalue()},
    )
    functions.create_event_source_mapping(
        FunctionName=f"handler-{number}", EventSourceArn=attribute(queue, "QueueArn"), BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    queues[name] = queue, letters
deadline = time.monotonic() + 70
seen = {}
while time.monotonic() < deadline:
    time.sleep(2)
    if not any(waiting(queue) for queue, _ in queues.values()):
        break
for name, (queue, letters) in queues.items():
    seen[name] = waiting(queue) + waiting(letters)
print(f"ministack 1.5.33, boto3 {boto3.__version__}, botocore {botocore.__version__}; three messages, one try each\n")
print(f"{'the function returns':32}{'not deleted (AWS)':>20}{'not deleted (ministack)':>26}")
faults = []
for name, (_, aws, recorded) in CASES.items():
    print(f"{name:32}{aws:>20}{seen[name]:>26}{'' if seen[name] == aws else '   <- differs'}")
    if seen[name] != recorded:
        faults.append(f"{name}: ministack kept {recorded} of three messages, now {seen[name]}")
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
emulator/bin/python report.py "$port"
