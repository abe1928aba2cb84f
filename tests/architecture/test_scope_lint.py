"""The lint rule that keeps code inside its organization: what it refuses, what it allows, and valid reasons."""

from pathlib import Path

import pytest

from tests.architecture import scope_lint
from tests.architecture.scope_lint import check, check_all, main

USECASE, REPOSITORY = "services/tasks/tasks/usecases.py", "services/tasks/tasks/repository.py"
CACHE = "_seen: dict[str, str] = {}\n\n\ndef seen(id):\n    "


def rules(source: str, path: str = USECASE) -> list[str]:
    return [each.rule for each in check(path, source)]


def test_the_code_has_no_findings() -> None:
    assert [str(each) for each in check_all()] == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ('key = Key("TASK", "A")', "raw-key"),
        ('entry = keys.ListEntry(1, pk, "")', "raw-key"),
        ('pk = f"ORG#{org_id}#TASK#{task_id}"', "raw-key"),
        ('pk = "USER#" + user_id', "raw-key"),
        ("from chassis.storage.keys import org_prefix", "raw-key"),
        ('key = scope.key("TASK", task_id)', "key-outside-repository"),
        ('key = self._scope.key("TASK", task_id)', "key-outside-repository"),
        ("item = await scope.table.get(key)", "key-outside-repository"),
        ("await self._table.write(operations)", "key-outside-repository"),
        ("items = table.scan()", "scan"),
        ('answer = await calls.call("dynamodb", "Scan", {})', "scan"),
        ("@cache\ndef names(): ...", "unscoped-cache"),
        ("@functools.lru_cache(maxsize=9)\ndef names(): ...", "unscoped-cache"),
        (CACHE + "_seen[id] = id", "unscoped-cache"),
        (CACHE + "_seen.setdefault(id, id)", "unscoped-cache"),
        (CACHE + "del _seen[id]", "unscoped-cache"),
        ("class Names:\n    kept = []\n    def keep(self, name):\n        self.kept.append(name)", "unscoped-cache"),
        ("_seen = defaultdict(list)\ndef see(id):\n    _seen[id].append(1)\n    _seen[id] = 2", "unscoped-cache"),
        ("_kept = ProcessCache()", "unscoped-cache"),
        ("def kept():\n    return cache.ProcessCache(most=9)", "unscoped-cache"),
        ("answer = scope.context.process_cache.find(key, now)", "unscoped-cache"),
        ("other = scope.for_org(org_id)", "made-scope"),
        ("other = UserScope(context, actor, cause, user_id)", "made-scope"),
        ("other = replace(scope, org_id=org_id)", "made-scope"),
    ],
)
def test_code_that_bypasses_the_scope_is_refused(source: str, rule: str) -> None:
    assert rules(source) == [rule]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ('key = self.scope.key("TASK", id)', REPOSITORY),
        ("item = await self.scope.table.get(self.key(id))", REPOSITORY),
        ('key = unique_key("slug", slug)', REPOSITORY),
        ("task = await TaskRepository(scope).get(task_id)", USECASE),
        ("key = Memberships(scope).key(org_id)", USECASE),
        ("LIMITS = {'free': 3}\ndef limit(plan):\n    return LIMITS[plan]", USECASE),
        ("def count(items):\n    seen = {}\n    seen['a'] = 1\n    return seen", USECASE),
        ('"""Keys are ORG#<org>#<KIND>#<id>."""', USECASE),
        ('def find():\n    """USER# rows are theirs."""', USECASE),
        ("scope = OrgScope(context, actor, cause, org_id)", "chassis/http/guard.py"),
        ('pk = f"ORG#{org_id}"', "chassis/storage/keys.py"),
        ("actor = replace(scope.actor, email=email)", USECASE),
    ],
)
def test_code_inside_the_scope_passes(source: str, path: str) -> None:
    assert rules(source, path) == []


@pytest.mark.parametrize("path", ["chassis/http/guard.py", "chassis/messaging/dispatch.py"])
def test_an_entry_point_may_break_only_its_own_rules(path: str) -> None:
    assert rules('pk = f"ORG#{org_id}"\nscope = OrgScope(context, actor, cause, org_id)', path) == ["raw-key"]


REASON = "# unscoped(made-scope): an active membership of the caller names it"


@pytest.mark.parametrize("source", [f"x = scope.for_org(o)  {REASON}", f"{REASON}\nx = scope.for_org(o)"])
def test_a_reason_allows_one_line(source: str) -> None:
    assert rules(source) == []
    assert rules(f"{source}\ny = 1\nz = scope.for_org(p)") == ["made-scope"]


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("x = scope.for_org(o)  # unscoped(made-scope)", "opt-out"),
        ("x = scope.for_org(o)  # unscoped(made-scope): needed", "opt-out"),
        (f"x = 1  {REASON}", "opt-out"),
    ],
)
def test_a_reason_must_be_given_and_be_needed(source: str, rule: str) -> None:
    assert rules(source) == [rule]


def test_a_reason_for_one_rule_is_not_valid_for_another() -> None:
    assert sorted(rules(f"x = Key(o)  {REASON}")) == ["opt-out", "raw-key"]


def test_every_declared_entry_point_exists_and_needs_its_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = dict(scope_lint.DECLARED)
    monkeypatch.setattr(scope_lint, "DECLARED", {})
    for path, allowed in declared.items():
        found = {each.rule for each in check(path, (scope_lint.ROOT / path).read_text(encoding="utf-8"))}
        assert found == allowed, path


def test_a_planted_violation_fails_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "services/tasks/usecases/sneaky.py"
    file.parent.mkdir(parents=True)
    file.write_text('"""Sneaky."""\n\npk = f"ORG#{1}#TASK"\n')
    assert main([str(tmp_path)]) == 1
    assert "services/tasks/usecases/sneaky.py:3: raw-key" in capsys.readouterr().out
    file.write_text('"""Honest."""\n')
    assert main([str(tmp_path)]) == 0
