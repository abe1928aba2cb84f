"""Looks into files: text right here, images and documents in a process that can be killed."""

import asyncio
import json
import os
import sys

import structlog
from pydantic import BaseModel, ValidationError

from chassis.aws.client import Aws
from services.files.errors import InspectionDied
from services.files.model import (
    ALLOWED,
    DocumentMetadata,
    Failure,
    ImageMetadata,
    Text,
    TextMetadata,
    Thumbnail,
)
from services.files.ports import Findings

log = structlog.get_logger(__name__)

CHILD = "services.files.inspection_child"
SECONDS = 20.0
AT_ONCE = 2
LAST_WORDS = 500
INHERITED = ("LD_LIBRARY_PATH", "PATH", "TMPDIR")
"""All that the child needs of our environment; credentials stay here."""


class _Header(BaseModel):
    """The child's first line of output."""

    metadata: ImageMetadata | DocumentMetadata | None
    thumbnail: Thumbnail | None
    text: Text | None
    failures: tuple[Failure, ...]
    thumbnail_bytes: int


class ProcessInspector:
    """One process a file, `at_once` of them, each at most `seconds` long: a parser that hangs, crashes or eats memory
    takes nothing else with it. Starting one costs about 0.2 s."""

    def __init__(self, *, seconds: float = SECONDS, at_once: int = AT_ONCE) -> None:
        self._seconds = seconds
        self._slots = asyncio.Semaphore(at_once)

    async def inspect(self, content: bytes, content_type: str) -> Findings:
        if ALLOWED[content_type].kind == "text":
            return look_at_text(content)  # at most 1 MiB: a millisecond
        async with self._slots:
            output = await self._run(content, content_type)
        return _findings(output)

    async def _run(self, content: bytes, content_type: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", CHILD, content_type,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            start_new_session=True,  # a Ctrl-C in the terminal is for us: we finish what is under way
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._seconds):
                output, complaints = await process.communicate(content)
        except TimeoutError:
            raise InspectionDied(f"Looking into the file took longer than {self._seconds:g} s.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            words = complaints.decode(errors="replace").strip()[-LAST_WORDS:]
            log.warning("inspection_died", code=process.returncode, words=words)
            raise InspectionDied(f"Looking into the file ended with code {process.returncode}.")
        return output


def look_at_text(content: bytes) -> Findings:
    """Its metadata; a failure if it is not UTF-8 from end to end."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"The text is not UTF-8: {error.reason} at byte {error.start}."
        return Findings(failures=(Failure(step="metadata", reason=reason),))
    lines = text.count("\n") + (not text.endswith("\n"))
    encoding = "us-ascii" if content.isascii() else "utf-8"
    return Findings(metadata=TextMetadata(lines=lines, characters=len(text), encoding=encoding))


def make_inspector(_aws: Aws) -> ProcessInspector:
    return ProcessInspector()


def _findings(output: bytes) -> Findings:
    first, _, rest = output.partition(b"\n")
    try:
        header = _Header.model_validate(json.loads(first))
    except (ValueError, ValidationError) as error:
        raise InspectionDied("Looking into the file gave no readable answer.") from error
    return Findings(
        metadata=header.metadata,
        thumbnail=header.thumbnail,
        thumbnail_webp=rest[: header.thumbnail_bytes],
        text=header.text,
        text_utf8=rest[header.thumbnail_bytes :],
        failures=header.failures,
    )


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        # Loaders that were not made for hostile input are off; and one file takes one core.
        "VIPS_BLOCK_UNTRUSTED": "1",
        "VIPS_CONCURRENCY": "1",
    }
