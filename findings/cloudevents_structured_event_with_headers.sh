#!/usr/bin/env bash
# Question: a CloudEvent arrives in structured mode (Content-Type: application/cloudevents+json, all of it in the body), and the sender repeats
# the attributes as ce- headers, which the HTTP binding allows for routers ("MAY include the same HTTP headers", 3.2.3). What is its data?
#
# A good guess: the member "data" of the body, by every SDK. The binding says that the Content-Type tells the modes apart.
# What happens in cloudevents 2.2.0 (Python, the current API): any ce- header makes it binary mode, so the event's data is the whole envelope,
# attributes included, and its datacontenttype is application/cloudevents+json. No error: type, source and id are right. The 1.x API inside the
# same package (cloudevents.v1) and the JavaScript SDK 10.0.0 give the data.
# What it means for a product like ours: a webhook or bus consumer that moves from the 1.x to the 2.x API works with its own senders, and reads
# nested data from a gateway that adds headers: fields are then missing from a valid event. Choose the mode by Content-Type yourself
# (from_structured / from_binary), and keep one such request among the golden examples.
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

cat >request.json <<'JSON'
{"headers": {"content-type": "application/cloudevents+json; charset=utf-8", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/tasks",
             "ce-type": "task.archived"},
 "body": "{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/tasks\", \"type\": \"task.archived\", \"datacontenttype\": \"application/json\", \"data\": {\"task\": 7}}"}
JSON
cat >read.js <<'JS'
const { HTTP } = require("cloudevents");
const { headers, body } = JSON.parse(require("fs").readFileSync("request.json"));
const plain = { "content-type": headers["content-type"] };
console.log(JSON.stringify([HTTP.toEvent({ headers: plain, body }).data, HTTP.toEvent({ headers, body }).data]));
JS
node read.js >javascript.json
cat >read.py <<'PY'
import json
import sys
from importlib.metadata import version

from cloudevents.core.bindings import http
from cloudevents.v1.http import from_http

request = json.load(open("request.json"))
headers, body = request["headers"], request["body"].encode()
plain = {"content-type": headers["content-type"]}


def current(head: dict[str, str]) -> object:
    return http.from_http_event(http.HTTPMessage(headers=head, body=body)).get_data()


data, envelope = {"task": 7}, json.loads(body)
seen = {
    "Python, 2.x API": (current(plain), current(headers)),
    "Python, cloudevents.v1": (from_http(plain, body).data, from_http(headers, body).data),
    "JavaScript": tuple(json.load(open("javascript.json"))),
}
recorded = {"Python, 2.x API": (data, envelope), "Python, cloudevents.v1": (data, data), "JavaScript": (data, data)}
print(f"cloudevents {version('cloudevents')} (PyPI), cloudevents 10.0.0 (npm)")
print("headers:", json.dumps(headers))
print("body:   ", body.decode(), "\n")
for name, (without, with_headers) in seen.items():
    print(f"{name:24}without ce- headers: {json.dumps(without)}")
    print(f"{'':24}with ce- headers:    {json.dumps(with_headers)}")
faults = [f"{name}: recorded {recorded[name]}, now {seen[name]}" for name in seen if seen[name] != recorded[name]]
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
venv/bin/python read.py
