import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from deploy import packaging
from deploy.errors import PackagingError
from deploy.packaging import Interpreter, interpreter_of, package

HERE = Interpreter(Path(sys.executable), f"{sys.version_info.major}.{sys.version_info.minor}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A service without libraries, so that nothing is downloaded."""
    folder = tmp_path / "root/services/tiny"
    folder.mkdir(parents=True)
    (folder / "triggers.py").write_text("def handle(event, context):\n    return event\n")
    (folder / "requirements.lock").write_text("# nothing\n")
    (folder / "mail.html").write_text("<p>")
    return tmp_path / "root"


def test_the_same_inputs_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    first = package("tiny", HERE, tmp_path / "one", root=root)
    moved = shutil.copytree(root, tmp_path / "elsewhere")
    second = package("tiny", HERE, tmp_path / "two", root=moved)
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_it_holds_the_service_what_it_stands_on_and_compiled_code(root: Path, tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(package("tiny", HERE, tmp_path, root=root)).namelist())
    assert {"services/tiny/triggers.py", "services/tiny/mail.html", "chassis/service.py", "contracts/event.py"} <= names
    assert any(name.startswith("services/tiny/__pycache__/triggers.") for name in names)
    assert not [name for name in names if name.startswith("deploy/") or "/testing/" in name or "requirements" in name]


def test_a_change_of_code_is_another_package_on_the_same_libraries(root: Path, tmp_path: Path) -> None:
    first = package("tiny", HERE, tmp_path, root=root)
    (root / "services/tiny/triggers.py").write_text("x = 1\n")
    assert package("tiny", HERE, tmp_path, root=root) != first
    assert len(list(tmp_path.glob("libraries-*.zip"))) == 1


def test_a_missing_lock_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="make lock"):
        package("nobody", HERE, tmp_path, root=tmp_path)


def test_a_folder_that_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="make setup"):
        interpreter_of(tmp_path)


def test_the_fixture_function_gets_its_own_library_and_only_the_apis_in_use(cache: Path, system_root: Path) -> None:
    names = zipfile.ZipFile(package("demo", HERE, cache / "packages", root=system_root)).namelist()
    models = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 3}
    assert models <= packaging.AWS_APIS
    assert "dynamodb" in models
    assert not [name for name in names if name.startswith("fastapi/")]
