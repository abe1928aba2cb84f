#!/usr/bin/env bash
# Question: an export or a stream of DynamoDB holds {"sizes": {"M": {"S": {"N": "3"}, "M": {"N": "5"}, "XL": {"N": "2"}}}}: a map with the
# users' own keys S, M and XL. What does the package dynamodb-json make of it, and does its own dumps / loads keep {"S": 3, "M": 5, "XL": 2}?
#
# A good guess: {"sizes": {"S": 3, "M": 5, "XL": 2}}. A type letter is a type only where DynamoDB's format has one; boto3's
# TypeDeserializer knows the difference.
# What happens in dynamodb-json 1.4.2: {"sizes": "3"}. Every object with a key S (or SS, BOOL, M, L ...) is taken for a typed value, from the
# inside out: the map is replaced by that one member and the others are gone, without an error. Its own output is read back wrong as well.
# An N with text in it, or a NULL, survives by luck.
# What it means for a product like ours: where tenants name fields, labels, sizes or columns themselves, one "S", "M", "L" or "N" loses data in
# whatever reads exports, streams or backups that way. Decode by walking the typed tree (TypeDeserializer or our own converter), never by
# json's object_hook; and keep an item with such keys among the test data.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
python3 -m venv venv
quietly venv/bin/pip install 'dynamodb-json==1.4.2' 'simplejson==4.3.0' 'boto3==1.44.8' 'botocore==1.44.8'

cat >decode.py <<'PY'
import json
import sys
from importlib.metadata import version

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from dynamodb_json import json_util

VALUES = [
    {"sizes": {"S": 3, "M": 5, "XL": 2}},
    {"columns": {"L": "left", "R": "right"}},
    {"compass": {"N": "north", "S": "south"}},
    {"answers": {"BOOL": True, "other": 1}},
    {"sizes": {"small": 3, "XL": 2}},
]
RECORDED = [{"sizes": "3"}, {"columns": "left"}, {"compass": "south"}, {"answers": True}, {"sizes": {"small": 3, "XL": 2}}]
print(f"dynamodb-json {version('dynamodb-json')}, boto3 {version('boto3')}\n")
faults = []
for value, recorded in zip(VALUES, RECORDED):
    item = {name: TypeSerializer().serialize(part) for name, part in value.items()}
    official = {name: TypeDeserializer().deserialize(part) for name, part in item.items()}
    # What the package itself writes and reads, and what it makes of boto3's form.
    loaded, again = json_util.loads(json.dumps(item)), json_util.loads(json_util.dumps(value))
    print(f"item          {json.dumps(item)}\n  boto3       {json.dumps(official, default=int)}\n  loads       {json.dumps(loaded)}\n  dumps+loads {json.dumps(again)}")
    if official != value:
        faults.append(f"boto3 on {value}: now {official}")
    for what, seen in (("loads", loaded), ("dumps and loads", again)):
        if seen != recorded:
            faults.append(f"{what} of {value}: recorded {recorded}, now {seen}")
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
venv/bin/python decode.py
