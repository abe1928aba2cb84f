"""What a deployment would change, shown before it does; and what it must not do unasked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from deploy.stage.errors import RefusedError
from deploy.stage.stacks import ChangeSet

DATA_BEARING = frozenset(
    {"AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::RDS::DBInstance", "AWS::S3::Bucket"}
)
COLOURS = {"Add": "green", "Modify": "yellow", "Remove": "red"}


@dataclass(frozen=True)
class Change:
    """One resource of a change set. `replaced` is "yes", "no" or "perhaps" (CloudFormation knows only as it goes)."""

    stack: str
    action: str
    logical_id: str
    kind: str
    replaced: str

    @property
    def loses_data(self) -> bool:
        """Whether what the resource holds would be out of reach afterwards."""
        return self.kind in DATA_BEARING and (self.action == "Remove" or self.replaced != "no")


def changes_of(planned: ChangeSet) -> list[Change]:
    """The changes, those that lose data first."""
    found = [_change(planned.stack, one) for one in planned.changes]
    return sorted(found, key=lambda one: (not one.loses_data, one.action, one.logical_id))


def preview(planned: Iterable[ChangeSet]) -> Table:
    """The table for a person."""
    table = Table("stack", "resource", "type", "action", "replaced")
    for change in (change for one in planned for change in changes_of(one)):
        colour = COLOURS.get(change.action, "white")
        red = change.replaced != "no" or change.loses_data
        table.add_row(
            change.stack, escape(change.logical_id), change.kind.removeprefix("AWS::"),
            f"[{colour}]{change.action.lower()}[/]", f"[bold red]{change.replaced}[/]" if red else "no",
        )  # fmt: skip
    return table


def refuse_losses(planned: Sequence[ChangeSet], *, allowed: bool) -> None:
    """Raises RefusedError, naming them, if resources that hold data would be replaced or removed and that is not
    `allowed`."""
    lost = [change for one in planned for change in changes_of(one) if change.loses_data]
    if lost and not allowed:
        named = ", ".join(f"{one.logical_id} of {one.stack} ({one.kind})" for one in lost)
        raise RefusedError(f"refused: data would be lost with {named}; if that is meant, say ALLOW_REPLACE=1")


def _change(stack: str, one: dict[str, Any]) -> Change:
    given = one.get("Replacement") if one["Action"] == "Modify" else "False"
    replaced = {"True": "yes", "Conditional": "perhaps"}.get(str(given), "no")
    return Change(stack, one["Action"], one["LogicalResourceId"], one["ResourceType"], replaced)
