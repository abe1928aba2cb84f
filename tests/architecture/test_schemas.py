"""The committed JSON Schemas agree with the contracts."""

import json
from pathlib import Path

import jsonschema
import pytest

from contracts import schemas
from contracts.catalog import load_all


def test_the_committed_schemas_are_fresh() -> None:
    assert schemas.stale() == []


def test_a_changed_contract_makes_them_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "FOLDER", tmp_path)
    assert schemas.main([]) == 0
    assert schemas.main(["--check"]) == 0
    victim = min(tmp_path.glob("*.json"))
    victim.write_text(victim.read_text().replace('"required"', '"requires"'))
    (tmp_path / "gone.thing.happened.v1.json").write_text("{}")
    assert schemas.main(["--check"]) == 1
    assert len(schemas.stale()) == 2


def test_every_event_says_when_it_happens_and_has_a_valid_schema() -> None:
    events = load_all()
    assert len(events) >= 25
    for name, event in events.items():
        assert event.__doc__, name
        assert len(event.__doc__) > 40, name
        jsonschema.Draft202012Validator.check_schema(json.loads(json.dumps(schemas.schema_of(event))))
