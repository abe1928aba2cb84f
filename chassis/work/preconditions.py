"""`If-Match` (RFC 9110): a change that the client wants only if the resource has not changed since it was read."""

import re
from dataclasses import dataclass

from chassis.errors import FieldError, Invalid, PreconditionFailed

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t]*{_TAG}(?:[ \t]*,[ \t]*{_TAG})*[ \t]*")
_EACH = re.compile(_TAG)
MAX_HEADER = 4096
ANY = "*"
WEAK = "W/"


def tag_of(version: int | None, digest: str) -> str:
    """The entity tag of a representation with this digest, of a resource at this version (None: it has no version)."""
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def tags_in(header: str, value: str) -> list[str]:
    """The entity tags of `If-Match` or `If-None-Match`, or ANY alone. Raises Invalid for any other value."""
    if value.strip() == ANY:
        return [ANY]
    if len(value) > MAX_HEADER or not _TAGS.fullmatch(value):
        message = f'{header} must be * or a list of entity tags such as "7-0a1b2c3d4e5f6071".'
        raise Invalid(message, [FieldError(f"header.{header.lower()}", "is not a list of entity tags")])
    return _EACH.findall(value)


@dataclass(frozen=True)
class Precondition:
    """`versions` are those that the client agrees to change; None stands for any. The rest of a tag is the digest of
    the representation, which may differ between releases while the resource is the same."""

    versions: frozenset[str] | None

    @classmethod
    def parse(cls, value: str) -> "Precondition":
        """The precondition of a header's value. Weak tags match nothing, since a change needs the strong comparison.
        Raises Invalid."""
        tags = tags_in("If-Match", value)
        if tags == [ANY]:
            return cls(None)
        return cls(frozenset(tag.strip('"').partition("-")[0] for tag in tags if not tag.startswith(WEAK)))

    def check(self, version: int) -> None:
        """Raises PreconditionFailed unless `version` is one of these."""
        if self.versions is not None and str(version) not in self.versions:
            raise PreconditionFailed("It was changed since you read it; read it again and repeat your change.")
