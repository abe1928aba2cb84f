"""Conditional requests (RFC 9110): `If-Match` on changes, `If-None-Match` on reads."""

from fastapi import Request, Response

from chassis.work.preconditions import ANY, WEAK, Precondition, tags_in

CHANGES = frozenset({"PUT", "PATCH", "DELETE"})


def precondition_of(request: Request) -> Precondition | None:
    """The `If-Match` of a request that changes something. Raises Invalid for a malformed one."""
    value = request.headers.get("If-Match")
    return None if value is None or request.method not in CHANGES else Precondition.parse(value)


def not_modified_or(request: Request, response: Response) -> Response:
    """The response, or 304 for a client that has this representation already."""
    wanted, tag = request.headers.get("If-None-Match"), response.headers.get("ETag")
    if request.method != "GET" or wanted is None or tag is None or response.status_code != 200:
        return response
    tags = tags_in("If-None-Match", wanted)
    if tags != [ANY] and tag not in {each.removeprefix(WEAK) for each in tags}:
        return response
    return Response(status_code=304, headers={"ETag": tag})
