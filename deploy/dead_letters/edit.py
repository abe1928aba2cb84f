"""Edits the data of an event that could not be handled, before it is sent back.

The edited event keeps its id. It was never handled, so no inbox knows the id, and the first delivery claims it; under
a new id, a second dead letter of the same event, or a replay, would have its effect once more. And if it was handled
after all, its claim prevents a second, edited effect.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contracts.catalog import load_all
from deploy.dead_letters.letter import DeadLetter
from deploy.errors import RefusedError


def read_patch(given: str) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396) for `data`: the text itself, or the file of that name. Raises RefusedError."""
    try:
        text = given if given.lstrip().startswith("{") else Path(given).read_text(encoding="utf-8")
        patch = json.loads(text)
    except OSError as error:
        raise RefusedError(f"EDIT is neither a JSON object nor a readable file: {error}") from None
    except ValueError as error:
        raise RefusedError(f"EDIT is not JSON: {error}") from None
    if not isinstance(patch, dict):
        raise RefusedError('EDIT must be a JSON object, such as {"title": "New"}')
    return patch


def edit_body(dead_letter: DeadLetter, patch: dict[str, Any]) -> str:
    """The body of a dead letter with `patch` merged into the event's data.

    Raises RefusedError for a dead letter that is not an event, and for data that its schema does not allow.
    """
    contract, name = load_all().get(dead_letter.type), f"dead letter {dead_letter.message_id}"
    if dead_letter.envelope is None or contract is None:
        raise RefusedError(f"{name} is not an event of a known type and cannot be edited; drop it")
    data = merge_patch(dead_letter.envelope.data, patch)
    try:
        contract.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise RefusedError(
            f"{name} as edited does not match {dead_letter.type}: {field}: {first['msg']}; nothing was sent"
        ) from None
    raw = dead_letter.raw
    return json.dumps({**raw, "detail": {**raw["detail"], "data": data}}, ensure_ascii=False)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result
