"""The fan-out of one event, as a tree of its OpenTelemetry spans."""

import time
from collections import defaultdict

from rich.tree import Tree

from deploy.local.traces import Span, Traces

WANTED = ("process notify.assignments", "process audit.trail", "process analytics.figures")


def spans_of_assignment(traces: Traces, event_id: str, seconds: float = 10) -> list[Span]:
    """The spans of the request that caused the event.

    Spans are exported in batches: returns when those of all consumers have arrived, or after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        matches = traces.find(WANTED[0], attributes={"messaging.message.id": event_id}, limit=1)
        spans = traces.spans_of(matches[0].trace_id) if matches else []
        complete = {span.name for span in spans} >= set(WANTED) and any(span.kind == "server" for span in spans)
        if complete or time.monotonic() > deadline:
            return spans
        time.sleep(0.2)


def draw(spans: list[Span]) -> Tree:
    """A tree of the spans, each with the milliseconds since the request began, and its duration."""
    known = {span.span_id for span in spans}
    children: dict[str | None, list[Span]] = defaultdict(list)
    for span in spans:
        children[span.parent_id if span.parent_id in known else None].append(span)
    start = min((span.start_ns for span in spans), default=0)
    tree = Tree("[bold]one assignment's fan-out[/]  (milliseconds since the request; duration)")

    def add(branch: Tree, span: Span, parent: Span | None) -> None:
        at = (span.start_ns - start) / 1e6
        label = (
            f"{span.service} [bold]{span.name}[/]  [cyan]+{at:.1f}[/]  {span.milliseconds:.1f} ms{_hops(span, parent)}"
        )
        node = branch.add(f"[red]{label}[/]" if span.failed else label)
        for child in sorted(children[span.span_id], key=lambda each: each.start_ns):
            add(node, child, span)

    for root in children[None]:
        add(tree, root, None)
    return tree


def _hops(span: Span, parent: Span | None) -> str:
    queued = span.attributes.get("tenfold.queued_ns")
    if queued is None or parent is None:
        return ""
    bus, queue = (int(queued) - parent.start_ns) / 1e6, (span.start_ns - int(queued)) / 1e6
    return f"  [dim](commit to queue {max(bus, 0):.1f}, in the queue {max(queue, 0):.1f})[/]"
