import re

import pytest

from services.notify.adapters.templating import FOLDER, TemplateComposer
from services.notify.ports import EmailContent

NASTY = 'A <b onload="x">bold</b>\r\nBcc: all@acme.example\x00\u2028next "quote" {{ 7 * 7 }} &amp;'
ONE_LINE = 'A <b onload="x">bold</b> Bcc: all@acme.example next "quote" {{ 7 * 7 }} &amp;'
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
WORDS = "name by title due text org role token expires created failed own tasks"
VALUES = dict.fromkeys(WORDS.split(), NASTY) | {"any_failed": True, "any_own": True}


@pytest.fixture(scope="module")
def composer() -> TemplateComposer:
    return TemplateComposer("https://tenfold.test/")


def content(template: str, subject: str = "Hello") -> EmailContent:
    return EmailContent(template, subject, path="/tasks/task_1", values=VALUES)


def test_every_email_has_both_parts() -> None:
    html = {path.stem for path in FOLDER.glob("[a-z]*.mjml")}
    assert html == set(NAMES) == {"assigned", "mentioned", "invited", "import_completed", "tasks_imported"}


@pytest.mark.parametrize("template", NAMES)
def test_values_are_escaped_in_html(composer: TemplateComposer, template: str) -> None:
    html = composer.compose("event.user", "bo@acme.example", content(template, NASTY)).html
    assert "<b onload" not in html
    assert "A &lt;b onload=&#34;x&#34;&gt;bold&lt;/b&gt;" in html
    assert "{{ 7 * 7 }} &amp;amp;" in html
    assert '<meta name="x-event-id" content="event.user" />' in html
    assert 'href="https://tenfold.test/tasks/task_1"' in html
    assert re.findall(r"\{%|<mj-", html) == []


@pytest.mark.parametrize("template", NAMES)
def test_values_cannot_make_a_line_of_the_text(composer: TemplateComposer, template: str) -> None:
    text = composer.compose("event.user", "bo@acme.example", content(template)).text
    assert not [line for line in text.splitlines() if line.startswith(("Bcc:", "next"))]
    assert "\x00" not in text
    assert ONE_LINE in text or "> Bcc: all@acme.example" in text
    assert "https://tenfold.test/tasks/task_1" in text.splitlines()


@pytest.mark.parametrize("breaking", ["\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c"])
def test_a_subject_is_one_line(composer: TemplateComposer, breaking: str) -> None:
    mail = composer.compose("event.user", "bo@acme.example", content("assigned", f"One{breaking}Bcc: all@acme.example"))
    assert mail.subject == "One Bcc: all@acme.example"


def test_a_subject_is_not_endless(composer: TemplateComposer) -> None:
    mail = composer.compose("event.user", "bo@acme.example", content("assigned", "long " * 100))
    assert len(mail.subject) <= 160
    assert mail.subject.endswith("long…")
