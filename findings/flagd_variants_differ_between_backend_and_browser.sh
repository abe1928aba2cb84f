#!/usr/bin/env bash
# Question: a flag splits users 50:50 by their key. The backend evaluates it with flagd's newest Python core, the web app with flagd's newest
# JavaScript core: both official, both in process, the same flag file, the same user. How many of 200 users get the same variant in both?
#
# A good guess: all of them. Buckets that do not depend on the language are the point of a shared algorithm, and the project tests it.
# What happens: about half, as if one had tossed two coins. Python's core 2.0.0 hashes the user's key inside a CBOR encoding and with an
# unsigned hash; JavaScript's 4.0.1 still hashes the bare text. Python's 1.0.0 agrees with it on everybody. A number as the key splits users
# in Python only: JavaScript falls back to the default. Targeting without a split ("in", "starts_with") agrees everywhere.
# What it means for a product like ours: a user sees the button of variant A while the API behaves as variant B, and raising one library moves
# half of all users to the other side of a running experiment. Evaluate a flag in one place, the backend, and send the variant along; where two
# cores must be used, pin a pair that agrees, and compare them on a few hundred keys in CI (this script is such a test).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
for version in 2.0.0 1.0.0; do
    python3 -m venv "core-$version"
    quietly "core-$version/bin/pip" install "openfeature-flagd-core==$version" 'openfeature-sdk==0.10.0' 'panzi-json-logic==1.0.1'
done
echo '{"private": true}' >package.json
quietly npm install --no-audit --no-fund --save-exact '@openfeature/flagd-core@4.0.1'

cat >shared.json <<'JSON'
{"rules": {
  "shorthand (the user's own key)": {"fractional": [["a", 50], ["b", 50]]},
  "by e-mail": {"fractional": [{"var": "email"}, ["a", 50], ["b", 50]]},
  "by a number": {"fractional": [{"var": "number"}, ["a", 50], ["b", 50]]},
  "starts_with, no split": {"if": [{"starts_with": [{"var": "email"}, "user-1"]}, "a", "b"]}},
 "users": 200}
JSON

cat >evaluate.py <<'PY'
import json

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

shared, answers = json.load(open("shared.json")), {}
for name, rule in shared["rules"].items():
    core = FlagdCore()
    flag = {"state": "ENABLED", "variants": {v: v for v in ("a", "b", "default")}, "defaultVariant": "default", "targeting": rule}
    core.set_flags(json.dumps({"flags": {"new-board": flag}}))
    answers[name] = [
        core.resolve_string_value("new-board", "none", EvaluationContext(f"user-{n}", {"email": f"user-{n}@example.com", "number": n})).variant
        for n in range(shared["users"])
    ]
print(json.dumps(answers))
PY
cat >evaluate.js <<'JS'
const { FlagdCore } = require("@openfeature/flagd-core");
const shared = JSON.parse(require("fs").readFileSync("shared.json"));
const log = { error() {}, warn() {}, info() {}, debug() {} };
const answers = {};
for (const [name, targeting] of Object.entries(shared.rules)) {
  const core = new FlagdCore();
  const flag = { state: "ENABLED", variants: { a: "a", b: "b", default: "default" }, defaultVariant: "default", targeting };
  core.setConfigurations(JSON.stringify({ flags: { "new-board": flag } }));
  answers[name] = Array.from({ length: shared.users }, (_, n) =>
    core.resolveStringEvaluation("new-board", "none", { targetingKey: `user-${n}`, email: `user-${n}@example.com`, number: n }, log).variant);
}
console.log(JSON.stringify(answers));
JS
core-2.0.0/bin/python evaluate.py >new.json
core-1.0.0/bin/python evaluate.py >old.json
node evaluate.js >browser.json

cat >compare.py <<'PY'
import json
import sys

new, old, browser = (json.load(open(f"{name}.json")) for name in ("new", "old", "browser"))
print("openfeature-flagd-core 2.0.0 and 1.0.0 (PyPI), @openfeature/flagd-core 4.0.1 (npm); 200 users, flag \"new-board\", 50:50\n")
print(f"{'rule':34}{'same: 2.0.0 and JS':>20}{'same: 1.0.0 and JS':>20}   first five: 2.0.0 / 1.0.0 / JS")
faults = []
for name in browser:
    same_new = sum(x == y for x, y in zip(new[name], browser[name]))
    same_old = sum(x == y for x, y in zip(old[name], browser[name]))
    print(f"{name:34}{same_new:>20}{same_old:>20}   " + " / ".join(" ".join(v[0] for v in side[name][:5]) for side in (new, old, browser)))
    if same_old != 200:
        faults.append(f"{name}: core 1.0.0 and JavaScript agreed on all 200 users, now on {same_old}")
    if "no split" in name:
        if same_new != 200:
            faults.append(f"{name}: 2.0.0 and JavaScript agreed on all 200 users, now on {same_new}")
    elif "number" in name:
        if same_new or set(browser[name]) != {"default"} or not set(new[name]) == {"a", "b"}:
            faults.append(f"{name}: JavaScript gave everybody the default and 2.0.0 a or b; now {same_new} agree")
    elif not 70 <= same_new <= 130:
        faults.append(f"{name}: 2.0.0 and JavaScript agreed on about half of 200 users, now on {same_new}")
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
python3 compare.py
