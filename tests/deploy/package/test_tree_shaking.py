"""Tree shaking: modules of libraries that can be imported stay, and in case of doubt the others, too."""

from pathlib import Path

import pytest

from deploy.package.import_graph import Closure
from deploy.package.tree_shaking import drop_unreached, top_names


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in {
        "plain/__init__.py": "",
        "plain/used.py": "from . import beside\nfrom lone import x\n",
        "plain/beside.py": "def late():\n    import other.deep.leaf\n",
        "plain/unused.py": "",
        "plain/data.json": "{}",
        "lone.py": "import typing\nif typing.TYPE_CHECKING:\n    import plain.unused\n",
        "other/__init__.py": "",
        "other/deep/__init__.py": "",
        "other/deep/leaf.py": "",
        "other/deep/unused.py": "",
        "dynamic/__init__.py": "",
        "dynamic/core.py": "import importlib\ndef backend(name):\n    return importlib.import_module(name)\n",
        "dynamic/backends/__init__.py": "",
        "dynamic/backends/fast.py": "import plain.unused\n",
        "native/__init__.py": "",
        "native/_fast.cpython-311-x86_64-linux-gnu.so": "",
        "native/deep/__init__.py": "",
        "native/deep/imported_by_it.py": "",
        "native/pytest_plugin.py": "import os\nfrom absent.plugins import hook\n",
        "native/perhaps.py": "from . import absent\nimport provided.data\ntry:\n    import absent\n"
        "except ImportError:\n    pass\nif os.name == 'nt':\n    import absent\n",
        "plugin/__init__.py": "",
        "plugin/context.py": "",
        "plugin/command.py": "",
        "plugin-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n",
        "plugin-1.0.dist-info/entry_points.txt": "[contexts]\nours = plugin.context:Context\n"
        "[console_scripts]\ncommand = plugin.command:main\n[pytest11]\nplugin = plugin.command\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def kept(site: Path, module: str) -> set[str]:
    drop_unreached(site, Closure(libraries={module: "services.shop.triggers"}), {*top_names(site), "provided"})
    return {path.relative_to(site).as_posix() for path in site.rglob("*.py")} - {"plugin/__init__.py"}


def test_imports_are_followed_through_libraries(site: Path) -> None:
    assert kept(site, "plain.used.Thing") == {
        "plain/__init__.py",
        "plain/used.py",
        "plain/beside.py",
        "lone.py",
        "other/__init__.py",
        "other/deep/__init__.py",
        "other/deep/leaf.py",
        "plugin/context.py",
    }
    assert (site / "plain/data.json").exists()


def test_who_loads_by_name_keeps_all_of_its_package(site: Path) -> None:
    assert {"dynamic/backends/__init__.py", "dynamic/backends/fast.py", "plain/unused.py"} <= kept(site, "dynamic.core")


def test_who_has_native_code_keeps_all_of_its_package(site: Path) -> None:
    assert "native/deep/imported_by_it.py" in kept(site, "native")


def test_what_starts_with_an_import_of_what_is_not_locked_goes(site: Path) -> None:
    found = kept(site, "native")
    assert "native/pytest_plugin.py" not in found
    assert "native/perhaps.py" in found


def test_native_code_stays_unasked(site: Path) -> None:
    assert "native/__init__.py" not in kept(site, "lone")
    assert list(site.glob("native/*.so"))


def test_entry_points_stay_but_for_commands(site: Path) -> None:
    found = kept(site, "lone")
    assert "plugin/context.py" in found
    assert "plugin/command.py" not in found
