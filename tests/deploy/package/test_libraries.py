from pathlib import Path

import pytest

from deploy.errors import PackagingError
from deploy.package.import_graph import Closure
from deploy.package.libraries import keep_needed


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Installed libraries: two share the namespace package `google`, and `Py-JWT` has its module under another name."""
    install(tmp_path, "Py-JWT", ["jwt/__init__.py"], ["Cryp_to>=3; extra == 'crypto'", "absent; python_version < '3'"])
    install(tmp_path, "cryp.to", ["crypto/__init__.py", "_rust.cpython-311-x86_64-linux-gnu.so", "crypto/data.bin"])
    install(tmp_path, "protobuf", ["google/protobuf/__init__.py"])
    install(tmp_path, "protos", ["google/rpc/status.py"], ["protobuf (>=3)"])
    install(tmp_path, "loop-a", ["loop_a.py"], ["loop-b"])
    install(tmp_path, "loop-b", ["loop_b.py"], ["loop-a[all]"])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tool").write_text("")
    return tmp_path


def install(site: Path, name: str, files: list[str], requires: list[str] | None = None) -> None:
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires or [])
    for file in [*files, f"{info}/METADATA"]:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}\n")
    (site / info / "RECORD").write_text("".join(f"{file},,\n" for file in [*files, f"{info}/METADATA", "../bin/tool"]))


def kept(site: Path, *modules: str, declared: tuple[str, ...] = ()) -> set[str]:
    reached = Closure(libraries=dict.fromkeys(modules, "services.shop.triggers"))
    keep_needed(site, reached, "shop/requirements.lock", declared=declared)
    files = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    return {file for file in files if "dist-info" not in file}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("crypto.x509.Name", {"crypto/__init__.py", "crypto/data.bin", "_rust.cpython-311-x86_64-linux-gnu.so"}),
        ("_rust", {"crypto/__init__.py", "crypto/data.bin", "_rust.cpython-311-x86_64-linux-gnu.so"}),
        ("google.protobuf.message", {"google/protobuf/__init__.py"}),
        ("google.rpc.status", {"google/protobuf/__init__.py", "google/rpc/status.py"}),
        ("google", {"google/protobuf/__init__.py", "google/rpc/status.py"}),
        ("loop_b", {"loop_a.py", "loop_b.py"}),
    ],
)
def test_the_library_of_a_module_stays_with_all_that_it_requires(site: Path, module: str, expected: set[str]) -> None:
    assert kept(site, module) == expected


@pytest.mark.parametrize(
    ("declared", "stays"),
    [
        ((), False),
        (("py_jwt>=1",), False),
        (("py-jwt", "PyJWT"), False),
        (("Py.JWT[other, Crypto]>=1", "py-jwt"), True),
    ],
)
def test_an_extra_stays_if_it_was_asked_for(site: Path, declared: tuple[str, ...], stays: bool) -> None:
    assert ("crypto/__init__.py" in kept(site, "jwt.encode", declared=declared)) == stays


def test_an_extra_that_a_library_asks_for_stays(site: Path) -> None:
    install(site, "asks", ["asks.py"], ["py-jwt [crypto] >=1"])
    install(site, "circle", ["circle.py"], ["py-jwt", "asks"])
    assert "crypto/__init__.py" in kept(site, "circle")


def test_the_metadata_of_what_stays_stays(site: Path) -> None:
    kept(site, "jwt")
    assert (site / "Py_JWT-1.0.dist-info/METADATA").exists()
    assert not (site / "protobuf-1.0.dist-info/METADATA").exists()


def test_nothing_is_needed_without_imports(site: Path) -> None:
    assert kept(site) == set()


@pytest.mark.parametrize("module", ["requests", "google.nothing", "cryptography.x509"])
def test_a_library_that_is_not_locked_is_refused(site: Path, module: str) -> None:
    with pytest.raises(
        PackagingError,
        match=rf"^services\.shop\.triggers imports {module}, which no library in shop/requirements\.lock",
    ):
        kept(site, "jwt", module)


def test_an_optional_library_may_be_missing(site: Path) -> None:
    keep_needed(
        site, Closure(libraries={"uvloop": "chassis.runtime.run"}, optional={"uvloop"}), "shop/requirements.lock"
    )
