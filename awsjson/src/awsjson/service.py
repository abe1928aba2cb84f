"""What must be known of a service to call it, read once from botocore's description of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from awsjson.codec import Kind, Node
from awsjson.errors import ConfigurationError

LEAVES = {"blob": Kind.BLOB, "timestamp": Kind.TIMESTAMP}
CONTAINERS = {"structure": Kind.STRUCTURE, "list": Kind.LIST, "map": Kind.MAP}


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: its fixed headers, the token that makes its retry safe, and where its answer holds blobs."""

    name: str
    headers: dict[str, str]
    token_members: tuple[str, ...] = ()
    unsigned: bool = False
    iso_times: bool = False
    refusal: str = ""
    answer: Node | None = None
    markers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One service in one region."""

    name: str
    title: str
    signing_name: str
    operations: dict[str, Operation]
    errors: dict[str, Node] = field(default_factory=dict)
    retryable_errors: frozenset[str] = frozenset()

    def operation(self, name: str) -> Operation:
        found = self.operations.get(name)
        refusal = f"there is no operation {name!r}" if found is None else found.refusal
        if found is None or refusal:
            raise ConfigurationError(refusal, service=self.name, operation=name)
        return found


class _Shapes:
    """Finds the blobs and timestamps beneath a shape; shapes may contain themselves (DynamoDB's values do)."""

    def __init__(self, shapes: Mapping[str, Any]) -> None:
        self._shapes = shapes
        self._nodes: dict[str, Node] = {}
        self._parents: dict[str, list[str]] = {}
        for name in shapes:
            for child in self._children_of(name):
                self._parents.setdefault(child, []).append(name)
        self._reaches = self.reaching(lambda shape: shape["type"] in LEAVES)

    def _children_of(self, name: str) -> list[str]:
        shape = self._shapes[name]
        if shape["type"] == "structure":
            return [member["shape"] for member in shape.get("members", {}).values()]
        part = shape.get("member") or shape.get("value")
        return [part["shape"]] if part else []

    def reaching(self, wanted: Callable[[Mapping[str, Any]], bool]) -> set[str]:
        """Names of the shapes that are or hold, at any depth, a wanted one; found from those upwards."""
        reached = {name for name, shape in self._shapes.items() if wanted(shape)}
        open_ends = list(reached)
        while open_ends:
            for parent in self._parents.get(open_ends.pop(), ()):
                if parent not in reached:
                    reached.add(parent)
                    open_ends.append(parent)
        return reached

    def node(self, name: str) -> Node | None:
        if name not in self._reaches:
            return None
        if name in self._nodes:
            return self._nodes[name]
        shape = self._shapes[name]
        kind = shape["type"]
        if kind in LEAVES:
            return Node(LEAVES[kind])
        node = self._nodes[name] = Node(CONTAINERS[kind])
        if kind == "structure":
            found = {member: self.node(part["shape"]) for member, part in shape["members"].items()}
            node.members.update({member: child for member, child in found.items() if child is not None})
        else:
            part = shape.get("member") or shape["value"]
            node.item = self.node(part["shape"])
        return node

    def markers(self, name: str) -> tuple[bytes, ...]:
        """Member names, quoted as in JSON: an answer that holds none of them has nothing to decode."""
        found: set[str] = set()
        seen: set[str] = set()
        open_ends = [name]
        while open_ends:
            shape_name = open_ends.pop()
            if shape_name in seen or shape_name not in self._reaches:
                continue
            seen.add(shape_name)
            for member, part in self._shapes[shape_name].get("members", {}).items():
                if self._ends_in_leaf(part["shape"]):
                    found.add(member)
            open_ends.extend(self._children_of(shape_name))
        return tuple(b'"%s"' % member.encode() for member in sorted(found))

    def _ends_in_leaf(self, name: str) -> bool:
        """Whether the member is a leaf or a list or map (of lists or maps) of leaves."""
        while self._shapes[name]["type"] in ("list", "map"):
            name = self._children_of(name)[-1]
        return self._shapes[name]["type"] in LEAVES


def describe(name: str, model: Mapping[str, Any]) -> Service:
    """Reads botocore's `service-2` description. Raises ConfigurationError for a service of another protocol."""
    metadata = model["metadata"]
    # some services prefer a binary protocol and speak this one too
    if "json" not in (metadata["protocol"], *metadata.get("protocols", ())):
        raise ConfigurationError(f"{name} speaks {metadata['protocol']}, not a JSON protocol", service=name)
    reader = _Reader(model)
    exceptions = {key: shape for key, shape in model["shapes"].items() if shape.get("exception")}
    return Service(
        name=name,
        title=metadata.get("serviceId", name),
        signing_name=metadata.get("signingName", metadata["endpointPrefix"]),
        operations={key: reader.operation(key, raw) for key, raw in model["operations"].items()},
        errors={key: node for key in exceptions if (node := reader.shapes.node(key)) is not None},
        retryable_errors=frozenset(key for key, shape in exceptions.items() if "retryable" in shape),
    )


class _Reader:
    """Reads the operations of one description."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        self._model = model
        self.shapes = _Shapes(model["shapes"])
        self._streams = self.shapes.reaching(lambda shape: bool(shape.get("eventstream")))
        self._iso_times = self.shapes.reaching(lambda shape: shape.get("timestampFormat") == "iso8601")

    def operation(self, name: str, raw: Mapping[str, Any]) -> Operation:
        metadata = self._model["metadata"]
        headers = {
            "X-Amz-Target": f"{metadata['targetPrefix']}.{name}",
            "Content-Type": f"application/x-amz-json-{metadata['jsonVersion']}",
        }
        if "awsQueryCompatible" in metadata:
            headers["x-amzn-query-mode"] = "true"
        question, answer = raw.get("input", {}).get("shape"), raw.get("output", {}).get("shape")
        members = self._model["shapes"][question].get("members", {}) if question else {}
        return Operation(
            name=name,
            headers=headers,
            token_members=tuple(key for key, part in members.items() if part.get("idempotencyToken")),
            unsigned=raw.get("authtype") == "none",
            iso_times=question in self._iso_times,
            refusal=self._refusal(raw, question, answer),
            answer=self.shapes.node(answer) if answer else None,
            markers=self.shapes.markers(answer) if answer else (),
        )

    def _refusal(self, raw: Mapping[str, Any], *shapes: str | None) -> str:
        """Why it cannot be called here; empty: it can."""
        if "hostPrefix" in raw.get("endpoint", {}):
            return "it has a host of its own, which this client does not know"
        if any(shape in self._streams for shape in shapes):
            return "it streams events, which this client does not read"
        return ""
