import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.errors import PackagingError
from deploy.package.packaging import Contents, Interpreter, interpreter_of, package, unpacked_bytes
from tests.deploy.conftest import importable

HERE = Interpreter(Path(sys.executable), f"{sys.version_info.major}.{sys.version_info.minor}")
FILES = {
    "service.py": "from chassis.declare.service import Service, TableSpec\n"
    "service = Service('tiny', api='services.tiny.api:router', table=TableSpec(), "
    "resources='services.tiny.stack:resources')\n",
    "stack.py": "from chassis.declare.stack import FunctionSpec, StackPart\n"
    "def resources(context):\n"
    "    return StackPart(functions={'Run': FunctionSpec('services.tiny.triggers:handle')})\n",
    "triggers.py": "from chassis.storage.keys import user_prefix\n"
    "def handle(event, context):\n"
    "    from services.tiny import texts\n"
    "    return texts.HELLO + user_prefix('1')\n",
    "texts/__init__.py": "HELLO = 'hello '\n",
    "texts/plain/mail.html": "<p>",
    "api.py": "import fastapi\n",
    "pages/__init__.py": "",
    "pages/page.html": "<p>",
    "README.md": "# Tiny\n",
    "requirements.lock": "# nothing\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A service without libraries, so that nothing is downloaded."""
    root = tmp_path / "root"
    for name, text in FILES.items():
        path = root / "services/tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with importable(root, "tiny"):
        yield root


def names(built: Path) -> set[str]:
    return set(zipfile.ZipFile(built).namelist())


def test_the_same_inputs_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    first = package("tiny", HERE, tmp_path / "one", root=root)
    moved = shutil.copytree(root, tmp_path / "elsewhere")
    second = package("tiny", HERE, tmp_path / "two", root=moved)
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_it_holds_what_the_handlers_reach_and_the_files_beside_it(root: Path, tmp_path: Path) -> None:
    built = names(package("tiny", HERE, tmp_path, root=root))
    assert {name for name in built if not name.endswith(".pyc")} == {
        "chassis/__init__.py",
        "chassis/storage/__init__.py",
        "chassis/storage/keys.py",
        "services/tiny/triggers.py",
        "services/tiny/texts/__init__.py",
        "services/tiny/texts/plain/mail.html",
    }


def test_the_compiled_code_is_what_runs(root: Path, tmp_path: Path) -> None:
    """Though unpacking gives the sources other times than they had."""
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(package("tiny", HERE, tmp_path, root=root)).extractall(unpacked)
    for source in unpacked.rglob("*.py"):
        source.write_text("raise SystemExit('compiled anew')\n")
    code = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r}); "
        "from services.tiny.triggers import handle; print(handle({}, None))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("hello USER#1\n", "")


def test_a_change_of_code_is_another_package_on_the_same_libraries(root: Path, tmp_path: Path) -> None:
    first = package("tiny", HERE, tmp_path, root=root)
    (root / "services/tiny/triggers.py").write_text("x = 1\n")
    assert package("tiny", HERE, tmp_path, root=root) != first
    assert len(list(tmp_path.glob("libraries-*.zip"))) == 1


def test_a_change_of_code_that_no_function_reaches_is_the_same_package(root: Path, tmp_path: Path) -> None:
    first = package("tiny", HERE, tmp_path, root=root)
    (root / "services/tiny/api.py").write_text("import starlette\n")
    assert package("tiny", HERE, tmp_path, root=root) == first


def test_a_library_that_is_not_locked_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "services/tiny/texts/__init__.py").write_text("def render():\n    import jinja2.sandbox\n")
    with pytest.raises(PackagingError) as refused:
        package("tiny", HERE, tmp_path, root=root)
    assert str(refused.value) == (
        "services.tiny.texts imports jinja2.sandbox, which no library in tiny/requirements.lock has; "
        "add the library to the service's pyproject.toml and run `make lock`"
    )
    assert not list(tmp_path.glob("*.zip"))


def test_a_service_without_functions_has_no_package(root: Path, tmp_path: Path) -> None:
    nothing = "from chassis.declare.stack import StackPart\ndef resources(context):\n    return StackPart()\n"
    (root / "services/tiny/stack.py").write_text(nothing)
    with pytest.raises(PackagingError, match="no functions"):
        package("tiny", HERE, tmp_path, root=root)


def test_a_missing_lock_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="make lock"):
        package("nobody", HERE, tmp_path, root=tmp_path)


def test_a_folder_that_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="make setup"):
        interpreter_of(tmp_path)


@pytest.mark.usefixtures("demo")
def test_the_fixture_function_gets_its_own_library_and_only_the_apis_in_use(cache: Path, system_root: Path) -> None:
    built = names(package("demo", HERE, cache / "packages", root=system_root))
    models = {name.split("/")[2] for name in built if name.startswith("botocore/data/") and name.count("/") > 3}
    assert models == {"dynamodb"}
    assert not [name for name in built if name.startswith("fastapi/")]


def test_the_trigger_of_sign_ins_is_small(cache: Path) -> None:
    """The embedded AWS unpacks it for each of several people who sign in at once."""
    built = package("identity", HERE, cache / "packages")
    folders = {name.split("/")[0] for name in names(built) if "dist-info" not in name and "/" in name}
    assert folders == {"botocore", "chassis", "dateutil", "jmespath", "services", "urllib3"}
    assert built.stat().st_size < 5_000_000


@pytest.mark.usefixtures("demo")
def test_libraries_are_complete_unless_tree_shaking_is_switched_on(cache: Path, system_root: Path) -> None:
    complete = package("demo", HERE, cache / "packages", root=system_root)
    shaken = package("demo", HERE, cache / "packages", root=system_root, contents=Contents(tree_shaking=True))
    assert names(shaken) < names(complete)
    dropped = names(complete) - names(shaken)
    assert [name for name in dropped if name.startswith("botocore/") and name.endswith(".pyc")]
    assert unpacked_bytes(shaken) < unpacked_bytes(complete)
