from pathlib import Path

import pytest

from deploy.errors import PackagingError
from deploy.package.import_graph import Closure, Tree, closure_of

HANDLER = "services.shop.triggers"


class Shop:
    """A small first-party tree: the service `shop` on a chassis."""

    def __init__(self, folder: Path) -> None:
        self.tree = Tree({"chassis": folder / "chassis", "services.shop": folder / "services/shop"})
        self._folder = folder

    def write(self, path: str, text: str = "") -> None:
        (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / path).write_text(text)

    def reached(self, handler: str) -> Closure:
        self.write("services/shop/triggers.py", handler)
        return closure_of([HANDLER], self.tree)

    def modules(self, handler: str) -> set[str]:
        """The modules that the handler imports, without itself and the package above it."""
        return set(self.reached(handler).modules) - {HANDLER, "services.shop"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    for path in ("chassis/__init__.py", "chassis/auth/__init__.py", "services/shop/__init__.py"):
        shop.write(path)
    shop.write("chassis/keys.py", "import dataclasses\nfrom chassis import items\n")
    shop.write("chassis/items.py", "import orjson\n")
    shop.write("chassis/auth/tokens.py", "import jwt.api_jwt\n")
    shop.write("chassis/plain/deep.py", "import anyio\n")
    shop.write("services/shop/model.py")
    shop.write("services/shop/api.py", "import fastapi\n")
    return shop


def test_imports_are_followed_and_the_rest_stays_out(shop: Shop) -> None:
    found = shop.reached("import os\nfrom chassis.keys import Key\nimport services.shop.model as model\n")
    assert set(found.modules) == {
        "chassis",
        "chassis.keys",
        "chassis.items",
        "services.shop",
        "services.shop.model",
        HANDLER,
    }
    assert found.libraries == {"orjson": "chassis.items"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from services.shop import model", {"services.shop.model"}),
        ("from services.shop import nothing", set()),
        ("import chassis.auth.tokens", {"chassis", "chassis.auth", "chassis.auth.tokens"}),
        ("from chassis.auth import tokens, other", {"chassis", "chassis.auth", "chassis.auth.tokens"}),
        ("def handle():\n    from services.shop import model", {"services.shop.model"}),
        ("class A:\n    import services.shop.model", {"services.shop.model"}),
        ("import chassis.plain.deep", {"chassis", "chassis.plain.deep"}),
        ("from chassis.plain import deep", {"chassis", "chassis.plain.deep"}),
        ("from . import model", {"services.shop.model"}),
        ("from .model import x", {"services.shop.model"}),
        ("from services.shop.model import *", {"services.shop.model"}),
        ("load('services.shop.model:Thing')", {"services.shop.model"}),
        ("a = 'elsewhere.model:Thing', 'http://x', 'services.shop.model'", set()),
    ],
)
def test_ways_to_import_a_module_of_ours(shop: Shop, code: str, expected: set[str]) -> None:
    assert shop.modules(code) == expected


def test_what_only_type_checkers_read_is_not_reached(shop: Shop) -> None:
    code = (
        "import typing\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from services.shop import api\nelse:\n    from services.shop import model\n"
        "if typing.TYPE_CHECKING:\n    import mypy_boto3_s3\n"
    )
    found = shop.reached(code)
    assert "services.shop.api" not in found.modules
    assert "services.shop.model" in found.modules
    assert found.libraries == {}


def test_a_name_from_a_library_may_be_a_module_of_it(shop: Shop) -> None:
    found = shop.reached(
        "from google import protobuf\nimport opentelemetry.trace\nfrom __future__ import annotations\n"
    )
    assert set(found.libraries) == {"google.protobuf", "opentelemetry.trace"}


def test_an_import_whose_failure_is_caught_is_optional(shop: Shop) -> None:
    code = "try:\n    import orjson, services.shop.fast\nexcept (ImportError, OSError):\n    import json5\n"
    assert shop.reached(code).optional == {"orjson"}
    assert set(shop.reached(code).libraries) == {"orjson", "json5"}
    assert shop.reached(f"{code}import chassis.items\n").optional == set()


def test_a_package_above_runs_too(shop: Shop) -> None:
    shop.write("services/shop/__init__.py", "import yaml\n")
    assert shop.reached("").libraries == {"yaml": "services.shop"}


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("import services.other.model", "services.other.model"),
        ("from services import other", "services.other"),
        ("from chassis.missing import x", "chassis.missing.x"),
        ("from chassis.plain import missing", "chassis.plain.missing"),
    ],
)
def test_what_the_service_does_not_ship_is_refused(shop: Shop, code: str, named: str) -> None:
    with pytest.raises(PackagingError, match=f"^{HANDLER} imports {named}, which its service does not ship$"):
        shop.reached(code)


def test_a_handler_that_does_not_exist_is_refused(shop: Shop) -> None:
    with pytest.raises(PackagingError, match=r"services\.shop\.nowhere does not exist"):
        closure_of(["services.shop.nowhere"], shop.tree)


def test_code_that_is_not_python_is_refused_with_its_file(shop: Shop) -> None:
    with pytest.raises(PackagingError, match=r"shop/triggers\.py cannot be read as Python"):
        shop.reached("def (:")


def test_the_apis_of_aws_are_named_where_clients_are_made_or_called(shop: Shop) -> None:
    shop.write("chassis/items.py", "async def get(aws): await aws.call('dynamodb', 'GetItem', {})\n")
    code = "import boto3, chassis.items\na = boto3.client('s3')\nb = session.create_client('ssm', region='x')\n"
    assert shop.reached(f"{code}c = aws.boto3('kms', lambda client: client.encrypt(x='sns'))\n").apis == {
        "dynamodb",
        "kms",
        "s3",
        "ssm",
    }
