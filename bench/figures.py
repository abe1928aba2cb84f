"""Samples of alternating runs, and the tables that show them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(slots=True)
class Samples:
    """The values of one variant, one per round."""

    name: str
    values: list[float] = field(default_factory=list)

    def spread(self, digits: int = 0) -> str:
        """Median and range, such as `454 [440-471]`."""
        low, middle, high = min(self.values), median(self.values), max(self.values)
        return f"{middle:.{digits}f} [{low:.{digits}f}-{high:.{digits}f}]"

    def ratios(self, base: "Samples") -> "Samples":
        """Ratios to the base, round by round: other load on the machine mostly affects both values of a round."""
        return Samples(self.name, [ours / theirs for ours, theirs in zip(self.values, base.values, strict=True)])


def alternate(names: Sequence[str], rounds: int, measure: Callable[[str], float]) -> dict[str, Samples]:
    """Measure each variant once per round; every other round runs backwards, so that none is always first."""
    samples = {name: Samples(name) for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            samples[name].values.append(measure(name))
    return samples


@dataclass(slots=True)
class Report:
    """Prints sections as they are measured."""

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
