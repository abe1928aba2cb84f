"""Preview of a deployment: the changes to show first, and those that need an explicit permission."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from deploy.errors import RefusedError
from deploy.stage.change_set import ChangeSet

DATA_BEARING = frozenset(
    {"AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::RDS::DBInstance", "AWS::S3::Bucket"}
)
COLOURS = {"Add": "green", "Modify": "yellow", "Remove": "red"}


@dataclass(frozen=True)
class Change:
    """One resource of a change set. `replaced` is "yes", "no" or "perhaps" (CloudFormation decides on the way)."""

    stack: str
    action: str
    logical_id: str
    kind: str
    replaced: str

    @property
    def loses_data(self) -> bool:
        """Whether the resource's data would be out of reach afterwards."""
        return self.kind in DATA_BEARING and (self.action == "Remove" or self.replaced != "no")


def changes_of(planned: ChangeSet) -> list[Change]:
    """The changes, those that lose data first."""
    changes = []
    for change in planned.changes:
        replacement = change.get("Replacement") if change["Action"] == "Modify" else "False"
        replaced = {"True": "yes", "Conditional": "perhaps"}.get(str(replacement), "no")
        logical_id, kind = change["LogicalResourceId"], change["ResourceType"]
        changes.append(Change(planned.stack, change["Action"], logical_id, kind, replaced))
    return sorted(changes, key=lambda change: (not change.loses_data, change.action, change.logical_id))


def preview(planned: Iterable[ChangeSet]) -> Table:
    """The changes as a table."""
    table = Table("stack", "resource", "type", "action", "replaced")
    for change in (change for change_set in planned for change in changes_of(change_set)):
        colour = COLOURS.get(change.action, "white")
        red = change.replaced != "no" or change.loses_data
        table.add_row(
            change.stack,
            escape(change.logical_id),
            change.kind.removeprefix("AWS::"),
            f"[{colour}]{change.action.lower()}[/]",
            f"[bold red]{change.replaced}[/]" if red else "no",
        )
    return table


def refuse_losses(planned: Sequence[ChangeSet], *, allowed: bool) -> None:
    """Raises RefusedError, naming them, if resources that hold data would be replaced or removed and that is not
    `allowed`."""
    losses = [change for change_set in planned for change in changes_of(change_set) if change.loses_data]
    if losses and not allowed:
        names = ", ".join(f"{change.logical_id} of {change.stack} ({change.kind})" for change in losses)
        raise RefusedError(f"refused: data would be lost with {names}; if that is meant, say ALLOW_REPLACE=1")
