from pathlib import Path

import pytest

from deploy.errors import RefusedError
from deploy.scaffold.service_names import check_name, places
from deploy.scaffold.writing import render_templates
from deploy.services import ROOT


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Billing", "use lower-case letters and digits"),
        ("2nd", "use lower-case letters and digits"),
        ("bill-ing", "use lower-case letters and digits"),
        ("a" * 19, "it has 19 letters, and AWS's names of its functions leave room for 18"),
        ("platform", "the stack that all services share has that name"),
        ("class", "it is a keyword of Python"),
        ("json", "a module of Python's standard library has that name"),
        ("tasks", "there is a service of that name"),
        ("event", "contracts/event.py exists"),
        ("projects", "tasks has the route /v1/projects"),
    ],
)
def test_an_impossible_name_is_refused_with_its_first_reason(name: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_name(name, ROOT)
    assert str(refused.value).startswith(f"NAME={name} cannot be the name of a service: {reason}")


@pytest.mark.parametrize("name", ["billing", "a" * 18, "project"])
def test_other_names_are_possible(name: str) -> None:
    check_name(name, ROOT)


def test_everything_that_is_written_lies_where_removing_finds_it() -> None:
    of_the_service = places("billing", Path())
    for path in render_templates("billing"):
        assert any(path == place or place in path.parents for place in of_the_service), path
