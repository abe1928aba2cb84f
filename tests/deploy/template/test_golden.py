"""Two services' templates as they were last looked at: a change of what we deploy shows as a diff in review.

`UPDATE_GOLDEN=1 make test ARGS=tests/deploy/template/test_golden.py` writes them anew.
"""

import os
from pathlib import Path

import pytest

from chassis.declare.service import service
from deploy.template import Target, render, service_template
from deploy.template.base import Canary

GOLDEN = Path(__file__).parent / "golden"
TARGETS = {
    "processes": Target("local", local=True),
    "functions": Target("prod", lambdas=True, aliases=True, canary=Canary()),
}


@pytest.mark.parametrize("runtime", TARGETS)
@pytest.mark.parametrize("name", ["analytics", "files"])
def test_a_template_is_what_was_reviewed(name: str, runtime: str) -> None:
    body = render(service_template(service(name), TARGETS[runtime], f"{name}/package.zip"))
    golden = GOLDEN / f"{name}.{runtime}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(body)
    assert body == golden.read_text(), f"{golden.name} differs; if that is meant, write it anew and look at its diff"
