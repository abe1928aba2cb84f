"""The inspector of files: text in this process, images and documents in a child process that can be killed."""

import asyncio
import json
import os
import sys

import structlog
from pydantic import BaseModel, ValidationError

from chassis.aws.client import Aws
from services.files.content.model import (
    ALLOWED,
    DocumentMetadata,
    Failure,
    Findings,
    ImageMetadata,
    Text,
    TextMetadata,
    Thumbnail,
)
from services.files.errors import InspectionDied

log = structlog.get_logger(__name__)

CHILD = "services.files.adapters.inspection_child"
SECONDS = 20.0
AT_ONCE = 2
LAST_WORDS = 500
INHERITED = ("LD_LIBRARY_PATH", "PATH", "TMPDIR")
"""The only variables of our environment that the child gets; credentials stay here."""


class _Header(BaseModel):
    """The child's first line of output."""

    metadata: ImageMetadata | DocumentMetadata | None
    thumbnail: Thumbnail | None
    text: Text | None
    failures: tuple[Failure, ...]
    thumbnail_bytes: int


class ProcessInspector:
    """One child process per file, at most `at_once` of them, each for at most `seconds`: a parser that hangs, crashes
    or eats memory takes nothing else with it. Starting a process costs about 0.2 s."""

    def __init__(self, *, seconds: float = SECONDS, at_once: int = AT_ONCE) -> None:
        self._seconds = seconds
        self._slots = asyncio.Semaphore(at_once)

    async def inspect(self, content: bytes, content_type: str) -> Findings:
        if ALLOWED[content_type].kind == "text":
            return look_at_text(content)  # at most 1 MiB: a millisecond
        async with self._slots:
            output = await self._run(content, content_type)
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

    async def _run(self, content: bytes, content_type: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            CHILD,
            content_type,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=child_environment(),
            start_new_session=True,  # a Ctrl-C in the terminal is for us: we finish what is under way
        )
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
    """The metadata of a text; a failure if it is not UTF-8 from end to end."""
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


def child_environment() -> dict[str, str]:
    """The environment of the child process: what it needs to start, and limits for the native libraries in it."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        # Loaders that were not made for hostile input are off; and one file takes one core.
        "VIPS_BLOCK_UNTRUSTED": "1",
        "VIPS_CONCURRENCY": "1",
    }
