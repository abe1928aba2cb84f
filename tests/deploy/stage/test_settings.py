"""The settings of a stage in stages.toml reach every function and every process of it."""

from pathlib import Path

import pytest

from chassis.declare.service import service
from chassis.declare.settings import Settings
from deploy.errors import TemplateError
from deploy.services import ROOT
from deploy.stage.environment import Options, environment_of
from deploy.stage.settings import FILE, settings_of
from deploy.template import Target, environment_variables_of, service_template

SAID = (
    '[prod]\npublic_url = "https://tenfold.example"\npublic_origins = ["https://a.example", "http://localhost:3000"]\n'
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / FILE).write_text(SAID)
    return tmp_path


def test_every_function_and_every_process_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of("prod", root)
    template = service_template(
        service("notify"), Target("prod", lambdas=True, aliases=True, settings=settings.variables)
    )
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    processes = environment_variables_of({name: one["Value"] for name, one in template["Outputs"].items()})
    assert functions
    for variables in (processes, *(one["Properties"]["Environment"]["Variables"] for one in functions)):
        for name, value in settings.variables:
            assert variables[name] == value
            monkeypatch.setenv(name, value)
    assert Settings(tenfold_service="notify").tenfold_public_origins == settings.public_origins


def test_a_stage_that_is_not_named_has_the_defaults(root: Path, tmp_path: Path) -> None:
    assert settings_of("dev", root).variables == settings_of("prod", tmp_path / "none").variables == ()


def test_operators_and_the_laptop_deploy_what_the_file_says() -> None:
    local = settings_of("local")
    assert local.public_origins
    assert environment_of(Options("local", "http://127.0.0.1:1")).target.settings == local.variables
    assert (ROOT / FILE).exists()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("[prod", "cannot be read"),
        ('[prod]\npublic_origin = ["https://a.example"]', "prod.public_origin"),
        ('[prod]\npublic_origins = ["https://a.example/app"]', "public_origins.0"),
        ('[prod]\npublic_url = "a.example"', "public_url"),
    ],
)
def test_a_file_that_cannot_be_is_one_line(tmp_path: Path, said: str, reason: str) -> None:
    (tmp_path / FILE).write_text(said)
    with pytest.raises(TemplateError) as refused:
        settings_of("dev", tmp_path)
    assert "\n" not in str(refused.value)
    assert FILE in str(refused.value)
    assert reason in str(refused.value)
