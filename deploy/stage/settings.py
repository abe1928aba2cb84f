"""The settings of each stage: `stages.toml`, and nowhere else.

Every deployment reads it, also that of one service, so that no operator has to remember them.
"""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from deploy.errors import TemplateError
from deploy.services import ROOT

FILE = "stages.toml"
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[1-9][0-9]{0,4})?$")]
Settings = tuple[tuple[str, str], ...]
"""Environment variables of every process and function."""


class StageSettings(BaseModel):
    """`public_url` is the address of the web application: links in e-mails begin with it. Pages of the
    `public_origins` may use the routes that need no token, such as signing in. `tree_shaking` leaves out of packages
    what nothing imports of other people's libraries, and their symbols (docs/deploying.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    public_url: Origin | None = None
    public_origins: tuple[Origin, ...] = ()
    tree_shaking: bool = False

    @property
    def variables(self) -> Settings:
        variables = {"TENFOLD_PUBLIC_URL": self.public_url, "TENFOLD_PUBLIC_ORIGINS": ",".join(self.public_origins)}
        return tuple((name, value) for name, value in variables.items() if value)


STAGES = TypeAdapter(dict[str, StageSettings])


def settings_of(stage: str, root: Path = ROOT) -> StageSettings:
    """The settings of a stage: the defaults if the file does not name it. Raises TemplateError for an invalid file."""
    path = root / FILE
    if not path.exists():
        return StageSettings()
    try:
        stages = tomllib.loads(path.read_text(encoding="utf-8"))
        return STAGES.validate_python(stages).get(stage, StageSettings())
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"{FILE} cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise TemplateError(f"{FILE}: {where}: {first['msg']}") from None
