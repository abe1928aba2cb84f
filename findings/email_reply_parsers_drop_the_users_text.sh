#!/usr/bin/env bash
# Question: people answer a notification by e-mail, and the text above the quotation becomes a comment. Six ordinary answers without any
# signature: which of three reply parsers keep them whole? One ends with the list "-call Bob", one with a line "--force", one tells what
# somebody wrote, one quotes a line beginning "From:", one has a Markdown rule, one a line beginning with ">".
#
# A good guess: all of the text, or at worst a stray line of quotation too much: the parsers look for the quotation, which none of these have.
# What happens: email-reply-parser 0.5.12 (PyPI) shortens all six, one of them to nothing: a line that begins with "--" or "-" and a letter
# starts a signature, and "On Tuesday ..." up to a line that ends in "wrote:" is the head of a quotation, even with sentences between them. The
# npm package of the same name, 2.3.9, keeps the lists and the story, and loses what follows the rule "---" and what stands behind ">".
# mail-parser-reply 1.36 keeps five of six: a "From:" at the start of a line ends the text.
# What it means for a product like ours: a comment arrives shortened, or empty, and nobody is told. Store the whole mail and show "show
# all", refuse an answer that becomes empty instead of storing it, and put a line of our own above the quotation ("reply above this line"), to
# cut there and nowhere else.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
quietly() { "$@" >install.log 2>&1 || { cat install.log >&2; exit 1; }; }
python3 -m venv venv
quietly venv/bin/pip install 'email-reply-parser==0.5.12' 'mail-parser-reply==1.36'
echo '{"private": true}' >package.json
quietly npm install --no-audit --no-fund --save-exact 'email-reply-parser@2.3.9'

cat >answers.json <<'JSON'
{"a list":      "Two things are left:\n\n-call Bob\n-send the invoice",
 "options":     "Run it with these:\n\n--force\n--yes",
 "a story":     "On Tuesday I met the customer.\nHe wants it in blue.\nI showed him what Ann wrote:\nno red.",
 "From:":       "The table needs two columns:\nFrom: the first day\nTo: the last day\nPlease keep the order.",
 "a rule":      "The first part.\n\n---\n\nThe second part.",
 "greater":     "The latency is\n> 500 ms\nin the last week.",
 "plain text":  "Yes, please close it.\n\nWe ship on Friday."}
JSON
cat >parse.js <<'JS'
const Parser = require("email-reply-parser");
const answers = JSON.parse(require("fs").readFileSync("answers.json"));
console.log(JSON.stringify(Object.values(answers).map((text) => new (Parser.default ?? Parser)().read(text + "\n").getVisibleText().trim())));
JS
node parse.js >node.json
cat >parse.py <<'PY'
import json
import sys
from importlib.metadata import version

from email_reply_parser import EmailReplyParser
from mailparser_reply import EmailReplyParser as MailParserReply

answers = json.load(open("answers.json"))
texts = list(answers.values())
seen = {
    f"email-reply-parser {version('email-reply-parser')} (PyPI)": [EmailReplyParser.parse_reply(text + "\n").strip() for text in texts],
    "email-reply-parser 2.3.9 (npm)": json.load(open("node.json")),
    f"mail-parser-reply {version('mail-parser-reply')} (PyPI)": [MailParserReply(languages=["en"]).read(text + "\n").latest_reply.strip() for text in texts],
}
whole = texts
RECORDED = [
    ["Two things are left:", "Run it with these:", "", "The table needs two columns:", "The first part.", "The latency is\nin the last week.", whole[6]],
    [whole[0], whole[1], whole[2], whole[3], "The first part.", "The latency is\nin the last week.", whole[6]],
    [whole[0], whole[1], whole[2], "The table needs two columns:", whole[4], whole[5], whole[6]],
]
for number, (name, text) in enumerate(answers.items()):
    print(f"{name:12}{text!r}")
    for parser, parsed in seen.items():
        print(f"    {parser:34}{'whole' if parsed[number] == text else repr(parsed[number])}")
faults = [
    f"{parser}, {name}: recorded {before!r}, now {now!r}"
    for (parser, parsed), recorded in zip(seen.items(), RECORDED)
    for name, before, now in zip(answers, recorded, parsed)
    if before != now
]
for fault in faults:
    print("CHANGED:", fault)
sys.exit(bool(faults))
PY
venv/bin/python parse.py
