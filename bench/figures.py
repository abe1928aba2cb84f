"""Samples of alternating runs, and the table they are shown in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(slots=True)
class Samples:
    """What one variant measured, round by round."""

    name: str
    values: list[float] = field(default_factory=list)

    def spread(self, digits: int = 0) -> str:
        """Median and the range: `454 [440-471]`."""
        low, middle, high = min(self.values), median(self.values), max(self.values)
        return f"{middle:.{digits}f} [{low:.{digits}f}-{high:.{digits}f}]"

    def ratios(self, base: "Samples") -> "Samples":
        """Each round against the base's value of the same round: what slows one of them mostly slows both."""
        return Samples(self.name, [ours / theirs for ours, theirs in zip(self.values, base.values, strict=True)])


def alternate(names: Sequence[str], rounds: int, measure: Callable[[str], float]) -> dict[str, Samples]:
    """Measures each variant once a round; every other round runs backwards, so that none is always the first."""
    found = {name: Samples(name) for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].values.append(measure(name))
    return found


@dataclass(slots=True)
class Report:
    """Shows the sections as they come."""

    console: Console = field(default_factory=lambda: Console(width=110))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(title=title, title_justify="left", title_style="bold")
        for number, column in enumerate(columns):
            table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def line(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False)
