"""docs/permissions.md agrees with the permissions and guards of the services."""

from pathlib import Path

import pytest

from contracts.common import Role
from contracts.permissions import OPERATIONS
from deploy.__main__ import main
from deploy.checks import permissions
from deploy.services import service_names
from services.analytics.permissions import PERMISSIONS


def test_the_committed_page_is_fresh() -> None:
    assert permissions.stale() == []


def test_a_changed_permission_makes_it_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "ROOT", tmp_path)
    monkeypatch.setattr(permissions, "PAGE", tmp_path / "permissions.md")
    monkeypatch.setattr(permissions, "OPERATIONS", tmp_path / "permissions.py")
    assert permissions.stale() == ["permissions.md", "permissions.py"]
    permissions.write()
    assert permissions.stale() == []
    monkeypatch.setitem(PERMISSIONS, "analytics.person.list", Role.OWNER)
    assert permissions.stale() == ["permissions.md", "permissions.py"]


def test_an_operation_that_no_route_requires_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PERMISSIONS, "analytics.person.paint", Role.OWNER)
    with pytest.raises(SystemExit) as exit_:
        main(["permissions", "--check"])
    assert exit_.value.code == 1
    assert "analytics.person.paint" in capsys.readouterr().err


def test_tenancy_knows_every_operation_with_its_least_role() -> None:
    tables = [permissions.permissions_of(name) for name in service_names()]
    assert {name: role for table in tables for name, role in table.items()} == OPERATIONS


def test_every_operation_of_every_service_has_its_row() -> None:
    page = permissions.render_page()
    for name in service_names():
        for operation, least in permissions.permissions_of(name).items():
            [row] = [line for line in page.splitlines() if line.startswith(f"| `{operation}` ")]
            assert row.count(permissions.YES) == len([role for role in Role if role.covers(least)]), operation
