#!/usr/bin/env bash
# Question: a Jira description holds a link with two underscores in its address, the name MAX_RETRY_COUNT, a {code} block with "a_b_c", and
# "Hi!Really!". What is left of them as Markdown, by jira2md (npm) and jira2markdown (PyPI)?
#
# A good guess: all unchanged. Jira formats at word borders only, code is code, and an address is no text.
# What happens in jira2md 3.0.1: every pair of underscores becomes a pair of asterisks, also inside addresses, names, {{monospace}} and {code}:
# the link is dead and the code is other code. Two exclamation marks make an image of what stands between them, two tildes or plus signs make
# it small or inserted. jira2markdown 0.5.3 changes none of these.
# What it means for a product like ours: an import of Jira descriptions by jira2md (also in the browser, as a preview) damages links and code in
# silence, and a sample with ordinary prose does not show it. Convert with jira2markdown, keep the original text beside the result, and
# have addresses with underscores and a code block in the samples.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
python3 -m venv venv
quietly venv/bin/pip install 'jira2markdown==0.5.3'
echo '{"private": true}' >package.json
quietly npm install --no-audit --no-fund --save-exact 'jira2md@3.0.1'

cat >texts.json <<'JSON'
["[the plan|https://wiki.example.com/my_new_plan]", "https://wiki.example.com/my_new_plan", "MAX_RETRY_COUNT is 3", "{{MAX_RETRY_COUNT}}",
 "{code:python}\na_b_c = 1\n{code}", "Hi!Really!", "~5 min and ~6 min", "+1 from me, +1 from Ann", "_really_ *new*"]
JSON
node -e 'const j = require("jira2md"); console.log(JSON.stringify(JSON.parse(require("fs").readFileSync("texts.json")).map((t) => j.to_markdown(t))))' >node.json
cat >compare.py <<'PY'
import json
import sys
from importlib.metadata import version

from jira2markdown import convert

texts = json.load(open("texts.json"))
seen = {"jira2md 3.0.1": json.load(open("node.json")), f"jira2markdown {version('jira2markdown')}": [convert(text) for text in texts]}
RECORDED = [
    ["[the plan](https://wiki.example.com/my*new*plan)", "https://wiki.example.com/my*new*plan", "MAX*RETRY*COUNT is 3", "`MAX*RETRY*COUNT`",
     "```python\na*b*c = 1\n```", "Hi![](Really)", "<sub>5 min and </sub>6 min", "<ins>1 from me, </ins>1 from Ann", "*really* **new**"],
    ["[the plan](https://wiki.example.com/my_new_plan)", "https://wiki.example.com/my_new_plan", "MAX_RETRY_COUNT is 3", "`MAX_RETRY_COUNT`",
     "```python\na_b_c = 1\n```", "Hi!Really!", "~5 min and ~6 min", "+1 from me, +1 from Ann", "_really_ **new**"],
]
for number, text in enumerate(texts):
    print(f"Jira               {text!r}")
    for name, converted in seen.items():
        print(f"  {name:22} {converted[number]!r}")
faults = [
    f"{name}, {text!r}: recorded {before!r}, now {now!r}"
    for (name, converted), recorded in zip(seen.items(), RECORDED)
    for text, before, now in zip(texts, recorded, converted)
    if before != now
]
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
venv/bin/python compare.py
