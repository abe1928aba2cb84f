"""Descriptions of services and their operations, read once from botocore's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from awsjson.codec import Kind, Node
from awsjson.errors import ConfigurationError

LEAVES = {"blob": Kind.BLOB, "timestamp": Kind.TIMESTAMP}
CONTAINERS = {"structure": Kind.STRUCTURE, "list": Kind.LIST, "map": Kind.MAP}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its fixed headers, the token that makes a retry safe, and the places of blobs in its answer."""

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
        """The operation `name`. Raises ConfigurationError if it does not exist or cannot be called by this client."""
        operation = self.operations.get(name)
        refusal = f"there is no operation {name!r}" if operation is None else operation.refusal
        if operation is None or refusal:
            raise ConfigurationError(refusal, service=self.name, operation=name)
        return operation


class _Shapes:
    """Finds the blobs and timestamps within a shape; shapes may contain themselves (DynamoDB's values do)."""

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
        """Names of the shapes that are, or contain at any depth, a wanted one; the search goes from child to parent."""
        reached = {name for name, shape in self._shapes.items() if wanted(shape)}
        open_ends = list(reached)
        while open_ends:
            for parent in self._parents.get(open_ends.pop(), ()):
                if parent not in reached:
                    reached.add(parent)
                    open_ends.append(parent)
        return reached

    def node(self, name: str) -> Node | None:
        """The decoder's path through a shape; None if it contains nothing to decode."""
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
            children = {member: self.node(part["shape"]) for member, part in shape["members"].items()}
            node.members.update({member: child for member, child in children.items() if child is not None})
        else:
            part = shape.get("member") or shape["value"]
            node.item = self.node(part["shape"])
        return node

    def markers(self, name: str) -> tuple[bytes, ...]:
        """Member names, quoted as in JSON: an answer without any of them has nothing to decode."""
        markers: set[str] = set()
        seen: set[str] = set()
        open_ends = [name]
        while open_ends:
            shape_name = open_ends.pop()
            if shape_name in seen or shape_name not in self._reaches:
                continue
            seen.add(shape_name)
            for member, part in self._shapes[shape_name].get("members", {}).items():
                leaf = part["shape"]  # a leaf itself, or a list or map (of lists or maps) of leaves
                while self._shapes[leaf]["type"] in ("list", "map"):
                    leaf = self._children_of(leaf)[-1]
                if self._shapes[leaf]["type"] in LEAVES:
                    markers.add(member)
            open_ends.extend(self._children_of(shape_name))
        return tuple(b'"%s"' % member.encode() for member in sorted(markers))


def describe(name: str, model: Mapping[str, Any]) -> Service:
    """Reads botocore's `service-2` description. Raises ConfigurationError for a service of another protocol."""
    metadata = model["metadata"]
    # some services prefer a binary protocol and speak this one, too
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
        refusal = ""
        if "hostPrefix" in raw.get("endpoint", {}):
            refusal = "it has a host of its own, which this client does not know"
        elif question in self._streams or answer in self._streams:
            refusal = "it streams events, which this client does not read"
        return Operation(
            name=name,
            headers=headers,
            token_members=tuple(key for key, part in members.items() if part.get("idempotencyToken")),
            unsigned=raw.get("authtype") == "none",
            iso_times=question in self._iso_times,
            refusal=refusal,
            answer=self.shapes.node(answer) if answer else None,
            markers=self.shapes.markers(answer) if answer else (),
        )
