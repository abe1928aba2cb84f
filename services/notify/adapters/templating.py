"""The composer: e-mails from templates, MJML for the HTML part and plain text beside it.

MJML is turned into HTML once, when the process starts. Values are filled into that HTML, so that escaping them is the
last step.
"""

import unicodedata
from pathlib import Path
from typing import Final

import mrml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from chassis.aws.client import Aws
from services.notify.ports import EmailContent, Mail
from services.notify.settings import NotifySettings

FOLDER: Final = Path(__file__).parent / "templates"
CONTENT: Final = "<!-- content -->"
SUBJECT_LENGTH: Final = 160
NO_TEXT: Final = frozenset({"Cc", "Cs"})


class QuotedText(str):
    """Text of several lines that is marked as somebody's words, and so may keep its lines."""

    __slots__ = ()


class TemplateComposer:
    """Reads every template when it is made, so that a broken one keeps the process from starting."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url.rstrip("/")
        # What is printed into the text stays on its line: nobody's name can pretend to be a line of ours.
        plain = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=False,  # noqa: S701  (plain text)
            undefined=StrictUndefined,
            finalize=_finalize,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        plain.filters["quote"] = quote
        rich = Environment(autoescape=True, undefined=StrictUndefined)
        names = sorted(path.stem for path in FOLDER.glob("*.txt"))
        self._plain: dict[str, Template] = {name: plain.get_template(f"{name}.txt") for name in names}
        self._rich: dict[str, Template] = {name: rich.from_string(html_of(name)) for name in names}

    def compose(self, id: str, to: str, content: EmailContent) -> Mail:  # noqa: A002
        subject = as_one_line(content.subject)
        if len(subject) > SUBJECT_LENGTH:
            subject = subject[: SUBJECT_LENGTH - 1].rstrip() + "…"
        values = {**content.values, "link": self._public_url + content.path, "subject": subject, "mail_id": id}
        return Mail(
            id=id,
            to=to,
            subject=subject,
            text=self._plain[content.template].render(values),
            html=self._rich[content.template].render(values),
        )


def make_composer(aws: Aws) -> TemplateComposer:
    del aws
    return TemplateComposer(NotifySettings().tenfold_public_url)


def html_of(name: str) -> str:
    """The HTML of an MJML template within the layout, with its placeholders still in it."""
    content = (FOLDER / f"{name}.mjml").read_text(encoding="utf-8")
    html: str = mrml.to_html((FOLDER / "_layout.mjml").read_text(encoding="utf-8").replace(CONTENT, content)).content
    return html


def as_one_line(text: str) -> str:
    """The text without line breaks and control characters, in any of Unicode's forms."""
    words = " ".join(text.split())
    return "".join(character for character in words if unicodedata.category(character) not in NO_TEXT)


def quote(text: str) -> QuotedText:
    """Each line behind a `>`, as quotations in e-mails are written."""
    return QuotedText("\n".join(f"> {as_one_line(line)}".rstrip() for line in text.splitlines()))


def _finalize(value: object) -> object:
    return as_one_line(value) if isinstance(value, str) and not isinstance(value, QuotedText) else value
