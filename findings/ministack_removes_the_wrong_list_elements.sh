#!/usr/bin/env bash
# Question: an item's list is [p, q, r, s]. UpdateItem with "REMOVE labels[0], labels[1]" in two emulators of DynamoDB: what is left?
#
# A good guess: [r, s]. AWS's guide has that very case (REMOVE RelatedItems[1], RelatedItems[2] takes out the second and the third): all
# paths of an expression mean the item as it was before. moto does it.
# What happens in ministack 1.5.33: [q, s]. It removes one after the other, and each removal shifts the rest, so the second path hits
# its right-hand neighbour. "REMOVE labels[1], labels[3]" leaves three elements: the last path points at nothing by then, in silence. Written
# from the highest index down, both emulators and AWS agree. It also takes "SET n = :a, n = :b", which AWS and moto refuse (paths overlap).
# What it means for a product like ours: a test on the laptop that takes two labels off a task is green or red for the wrong reason, and a
# "fix" that makes it green breaks on AWS. Write the indexes of one REMOVE in falling order (right everywhere), or keep labels as a set or a map.
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

cat >update.py <<'PY'
import sys
import time
import urllib.request

import boto3
import botocore
import moto
from botocore.exceptions import ClientError

KEYS = {"region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
UPDATES = {
    "REMOVE labels[0], labels[1]": {},
    "REMOVE labels[1], labels[3]": {},
    "REMOVE labels[1], labels[0]": {},
    "SET n = :a, n = :b": {":a": {"N": "1"}, ":b": {"N": "2"}},
}
RECORDED = {
    "moto 5.2.5": ["rs", "pr", "rs", "ValidationException"],
    "ministack 1.5.33": ["qs", "prs", "rs", "n=2"],
}
AWS = ["rs", "pr", "rs", "ValidationException"]


def run(endpoint: str | None) -> list[str]:
    client, seen = boto3.client("dynamodb", endpoint_url=endpoint, **KEYS), []
    client.create_table(
        TableName="tasks", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
    )
    for expression, values in UPDATES.items():
        client.put_item(TableName="tasks", Item={"pk": {"S": "t"}, "labels": {"L": [{"S": letter} for letter in "pqrs"]}})
        options = {"ExpressionAttributeValues": values} if values else {}
        try:
            client.update_item(TableName="tasks", Key={"pk": {"S": "t"}}, UpdateExpression=expression, **options)
        except ClientError as error:
            seen.append(error.response["Error"]["Code"])
            continue
        item = client.get_item(TableName="tasks", Key={"pk": {"S": "t"}})["Item"]
        seen.append(f"n={item['n']['N']}" if "n" in item else "".join(x["S"] for x in item["labels"]["L"]))
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
print(f"moto {moto.__version__}, ministack 1.5.33, boto3 {boto3.__version__}, botocore {botocore.__version__}; labels before: p q r s\n")
print(f"{'':22}" + "".join(f"{expression:30}" for expression in UPDATES))
for name, answers in ({"AWS (documentation)": AWS} | seen).items():
    print(f"{name:22}" + "".join(f"{answer:30}" for answer in answers))
faults = [
    f"{name}: {expression}: recorded {before}, now {now}"
    for name, recorded in RECORDED.items()
    for expression, before, now in zip(UPDATES, recorded, seen[name])
    if before != now
]
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
emulator/bin/python update.py "$port"
