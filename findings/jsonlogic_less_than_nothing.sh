#!/usr/bin/env bash
# Question: a rule of the JsonLogic format, {"<": [{"var": "estimate"}, 5]} ("small tasks"), meets a task without an estimate. The rule editor in
# the browser runs json-logic-js; the backend one of four PyPI packages. Does the task match? Does "missing" count an empty text, and does
# {"==": [{"var": "open"}, 0]} hold where there is no "open"?
#
# A good guess: no match, everywhere; or at least one answer, since JsonLogic's promise is that front and back end run the same rule.
# What happens: JavaScript says yes, nothing is less than 5 (null counts as 0). panzi-json-logic, jsonlogic-rs and datalogic-py follow,
# json-logic-qubit says no. "missing" lists an empty text in three engines and not in two, an equal zero holds in two and not in three, and
# "at most 0" splits them in yet another way. No two Python engines agree on all five rules, and none agrees with JavaScript.
# What it means for a product like ours: an automation shows ten matches in its preview and touches other tasks when it runs. Evaluate rules in
# one place; where the browser has to, run the same shared cases (absent, null, "", {}, [], "1.0") through both engines in CI; and write
# the test of presence into each stored rule ({"and": [{"!=": [x, null]}, ...]}).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
# Two of the packages install a module of the same name: one environment each.
for package in json-logic-qubit==0.9.1 panzi-json-logic==1.0.1 jsonlogic-rs==0.5.0 datalogic-py==5.9.0; do
    python3 -m venv "${package%%==*}"
    quietly "${package%%==*}/bin/pip" install "$package"
done
echo '{"private": true}' >package.json
quietly npm install --no-audit --no-fund --save-exact 'json-logic-js@2.0.5'

cat >cases.json <<'JSON'
[[{"<": [{"var": "estimate"}, 5]}, {"title": "x"}], [{"<=": [{"var": "estimate"}, 0]}, {"estimate": null}], [{"missing": ["title"]}, {"title": ""}],
 [{"==": [{"var": "open"}, 0]}, {}], [{"!!": [{"var": "fields"}]}, {"fields": {}}], [{"<": [{"var": "estimate"}, 5]}, {"estimate": 3}]]
JSON
cat >apply.py <<'PY'
import importlib
import json
import sys

apply = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
print(json.dumps([apply(rule, data) for rule, data in json.load(open("cases.json"))]))
PY
node -e 'const j = require("json-logic-js"); console.log(JSON.stringify(JSON.parse(require("fs").readFileSync("cases.json")).map(([r, d]) => j.apply(r, d))))' >json-logic-js.json
json-logic-qubit/bin/python apply.py json_logic jsonLogic >json-logic-qubit.json
panzi-json-logic/bin/python apply.py json_logic jsonLogic >panzi-json-logic.json
jsonlogic-rs/bin/python apply.py jsonlogic_rs apply >jsonlogic-rs.json
datalogic-py/bin/python apply.py datalogic_py apply >datalogic-py.json

cat >compare.py <<'PY'
import json
import sys

RECORDED = {
    "json-logic-js": [True, True, ["title"], False, True, True],
    "json-logic-qubit": [False, False, ["title"], False, False, True],
    "panzi-json-logic": [True, True, ["title"], True, True, True],
    "jsonlogic-rs": [True, False, [], False, True, True],
    "datalogic-py": [True, True, [], True, False, True],
}
versions = {"json-logic-js": "2.0.5 (npm)", "json-logic-qubit": "0.9.1", "panzi-json-logic": "1.0.1", "jsonlogic-rs": "0.5.0", "datalogic-py": "5.9.0"}
cases = json.load(open("cases.json"))
seen = {name: json.load(open(f"{name}.json")) for name in RECORDED}
for number, (rule, data) in enumerate(cases):
    print(f"{json.dumps(rule)} on {json.dumps(data)}")
    print("    " + ", ".join(f"{name} {versions[name]}: {json.dumps(seen[name][number])}" for name in seen))
faults = [
    f"{name}, {json.dumps(cases[number])}: recorded {before}, now {now}"
    for name, recorded in RECORDED.items()
    for number, (before, now) in enumerate(zip(recorded, seen[name], strict=True))
    if before != now
]
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
python3 compare.py
