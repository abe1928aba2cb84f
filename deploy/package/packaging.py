"""Builds the zip of a service's functions: the part of our code that their handlers import, and its locked libraries.

It is small, because a cold start unpacks it while a person waits. The same inputs give the same bytes, so a package is
identified by its hash, and built and uploaded once.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chassis.declare.service import service as declaration
from deploy.errors import PackagingError
from deploy.package.import_graph import Closure, Tree, closure_of
from deploy.package.interpreters import python_of
from deploy.package.libraries import keep_needed
from deploy.package.strip_symbols import without_symbols
from deploy.package.tree_shaking import drop_unreached, top_names
from deploy.services import ROOT
from deploy.template import Target
from deploy.template.runtime import HANDLERS
from deploy.template.service import stack_part

BUILDER = "10"
"""Part of every cache key: raise it when this module builds differently."""
KEPT = 3
"""How many packages of a service stay in the cache, and how many archives of its libraries."""
INSTALL_SECONDS = 300
COMPILE_SECONDS = 300
BYTECODE = Path(__file__).with_name("bytecode.py")
UNCHECKED = ("--invalidation-mode", "unchecked-hash")
"""Unpacking changes the times of files, and a .pyc that depends on them would be compiled at each start."""
TIMESTAMP = (2020, 1, 1, 0, 0, 0)
FIRST_PARTY = {
    "awsjson": "awsjson/src/awsjson",
    "chassis": "chassis",
    "contracts": "contracts",
    "faststream_sqs": "faststream-sqs/src/faststream_sqs",
}
MANIFESTS = tuple(ROOT / folder / "pyproject.toml" for folder in ("", "awsjson", "faststream-sqs"))
UNPACKED = frozenset({"__pycache__", "tests", "testing", "schemas"})
UNPACKED_FILES = frozenset({"README.md", "requirements.lock", "pyproject.toml", "RECORD", "INSTALLER", "REQUESTED"})
UNPACKED_SUFFIXES = frozenset({".md", ".pyi", ".pyx", ".pxd", ".pxi", ".h", ".c", ".proto"})
UNREAD_FOLDERS = ("boto3/data", "boto3/examples")
"""Folders of libraries that nothing reads at run time: boto3's `resource` objects, because we use its clients."""
SHAKEN_FOLDERS = ("pydantic/v1",)
"""pydantic's old version: FastAPI imports it to recognize its models, and manages without it. For tree shaking only."""
READ_OF_METADATA = frozenset({"METADATA", "entry_points.txt"})

SOURCE_ONLY = ("--no-binary", "pyvips")
"""Published without a wheel, but plain Python, built the same for every platform; the native part is pyvips-binary."""
PROVIDED = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"})
"""The libraries in Lambda's own Python: boto3 and what it requires."""


@dataclass(frozen=True)
class Interpreter:
    """The Python of a package. `executable` compiles, and is the one to install for when `platform` is None; with a
    `platform` (uv's name, "aarch64-manylinux_2_28") `version` is the one to install for and to compile with."""

    executable: Path | None
    version: str
    platform: str | None = None

    @property
    def python(self) -> Path:
        """The executable, looked up only when something is built. Raises PackagingError if this machine has none."""
        return self.executable or python_of(self.version)

    @property
    def runtime(self) -> str:
        """The name of the interpreter at Lambda."""
        return f"python{self.version}"


def interpreter_of(venv: Path) -> Interpreter:
    """The interpreter of a virtual environment. Raises PackagingError if `venv` is not one."""
    try:
        settings = dict(
            line.split(" = ", 1) for line in (venv / "pyvenv.cfg").read_text().splitlines() if " = " in line
        )
        major, minor = settings.get("version", settings.get("version_info", "")).split(".")[:2]
    except (OSError, ValueError):
        raise PackagingError(f"{venv} is not a virtual environment; run `make setup`") from None
    return Interpreter(venv / "bin/python", f"{major}.{minor}")


@dataclass(frozen=True)
class Contents:
    """The contents of a package: with `lambdas` all of the Lambda runtime, else the stack's triggers only. Without
    `boto3` the functions use the one that Lambda has, whose version we cannot choose. With `tree_shaking` libraries
    lose the modules that nothing imports, docstrings and the symbols of native code; without, their code is complete.
    """

    lambdas: bool = False
    boto3: bool = True
    tree_shaking: bool = False


TRIGGERS = Contents()


def package(
    service: str, interpreter: Interpreter, cache: Path, *, root: Path = ROOT, contents: Contents = TRIGGERS
) -> Path:
    """The zip of `service`, built in the folder `cache` unless it is there already.

    `root` is the folder with `services/<service>` and its requirements.lock; it must be importable from.
    Raises PackagingError.
    """
    lock = root / "services" / service / "requirements.lock"
    if not lock.exists():
        raise PackagingError(f"{lock} is missing; run `make lock`")
    tree = Tree(
        {name: ROOT / folder for name, folder in FIRST_PARTY.items()}
        | {f"services.{service}": root / "services" / service}
    )
    reached = closure_of(_handlers(service, contents), tree)
    sources = dict(sorted(_sources(reached, tree)))
    manifests = [path for path in (*MANIFESTS, lock.with_name("pyproject.toml")) if path.exists()]
    declared = sorted(
        requirement for path in manifests for requirement in tomllib.loads(path.read_text())["project"]["dependencies"]
    )
    imports = (f"{name} {name in reached.optional}" for name in sorted(reached.libraries))
    libraries_key = _digest(
        BUILDER,
        interpreter.version,
        interpreter.platform or sys.platform,
        lock.read_text(),
        str(contents),
        *imports,
        *sorted(reached.apis),
        *declared,
    )
    digests = (f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in sources.items())
    key = _digest(libraries_key, *digests)
    finished = cache / f"{service}-{key}.zip"
    if not finished.exists():
        cache.mkdir(parents=True, exist_ok=True)
        libraries = cache / f"libraries-{service}-{libraries_key}.zip"
        if not libraries.exists():
            _pack_libraries(lock, reached, declared, interpreter, contents, libraries)
        _add_sources(libraries, sources, interpreter, finished)
        _delete_old(cache.glob(f"{service}-*.zip"))
        _delete_old(cache.glob(f"libraries-{service}-*.zip"))
    return finished


def unpacked_bytes(built: Path) -> int:
    """The size of a package once Lambda has unpacked it."""
    with zipfile.ZipFile(built) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _handlers(service: str, contents: Contents) -> set[str]:
    """The modules of all handlers, for AWS and for the embedded one."""
    try:
        parts = [stack_part(declaration(service), Target("package", local=local)) for local in (False, True)]
    except (ImportError, AttributeError) as error:
        raise PackagingError(f"service {service} cannot be read: {type(error).__name__}: {error}") from error
    handlers = {spec.handler.partition(":")[0] for part in parts for spec in part.functions.values()}
    if contents.lambdas:
        # The declaration, too: its import strings are loaded from there.
        handlers |= {handler.rpartition(".")[0] for handler in HANDLERS.values()} | {f"services.{service}.service"}
    if not handlers:
        raise PackagingError(f"service {service} has no functions, so there is nothing to package")
    return handlers


def _delete_old(packages: Iterable[Path]) -> None:
    for old in sorted(packages, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)


def _sources(reached: Closure, tree: Tree) -> Iterator[tuple[str, Path]]:
    """Files by their path in the package: the modules, and the data files in the folders of these modules."""
    modules = set(reached.modules.values())
    folders = {path.parent for path in modules}
    for name, folder in tree.folders.items():
        for path in folder.rglob("*"):
            inside = path.relative_to(folder)
            is_data = path.suffix != ".py" and path.name not in UNPACKED_FILES and not UNPACKED & set(inside.parts)
            owner = path.parent  # the nearest folder above with code of its own
            while owner != folder and not any(owner.glob("*.py")):
                owner = owner.parent
            if path in modules or (is_data and path.is_file() and owner in folders):
                yield f"{name.replace('.', '/')}/{inside.as_posix()}", path


def _pack_libraries(
    lock: Path, reached: Closure, declared: list[str], interpreter: Interpreter, contents: Contents, finished: Path
) -> None:
    """Install the libraries of a lock, keep what is needed of them, compile and zip it. The zip is kept: libraries
    change less often than our code, and compressing them is most of the work."""
    python, options = ["--python", str(interpreter.python)], []
    if interpreter.platform:
        python = ["--python-platform", interpreter.platform, "--python-version", interpreter.version]
    with tempfile.TemporaryDirectory(dir=finished.parent) as folder:
        site, unfinished = Path(folder) / "site", Path(folder) / "libraries.zip"
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(site), *python]
        checks = ["--no-deps", "--require-hashes", "--only-binary", ":all:", *SOURCE_ONLY, "-r", str(lock)]
        _run([*install, *checks], INSTALL_SECONDS, f"installing {lock}")
        locked, provided = top_names(site), () if contents.boto3 else PROVIDED
        keep_needed(site, reached, f"{lock.parent.name}/{lock.name}", declared=declared, provided=provided)
        if contents.tree_shaking:
            drop_unreached(site, reached, locked)
            options = ["--without-docstrings"]
        trim(site, reached.apis, tree_shaking=contents.tree_shaking)
        # Without the sources, which are half of the size and never read: tracebacks keep their line numbers.
        _compile([str(BYTECODE), *options, str(site)], interpreter, "-X", "no_debug_ranges")
        _zip(site, unfinished)
        unfinished.replace(finished)


def _add_sources(libraries: Path, sources: dict[str, Path], interpreter: Interpreter, finished: Path) -> None:
    with tempfile.TemporaryDirectory(dir=finished.parent) as folder:
        code, unfinished = Path(folder) / "code", Path(folder) / "package.zip"
        for name, path in sources.items():
            (code / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, code / name)
        _compile(["-m", "compileall", "-q", *UNCHECKED, "-s", str(code), str(code)], interpreter)
        shutil.copyfile(libraries, unfinished)
        _zip(code, unfinished)
        unfinished.replace(finished)


def trim(site: Path, apis: set[str], *, tree_shaking: bool = False) -> None:
    """Delete the files of installed libraries that nothing reads at run time: descriptions of AWS APIs other than
    `apis`, type stubs, documentation. With `tree_shaking` also old code, and symbols of native code."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    (site / ".lock").unlink(missing_ok=True)
    # botocore describes four hundred services; the ones that are called stay. A client of another raises
    # UnknownServiceError.
    unused = [model for model in site.glob("botocore/data/*/") if model.name not in apis]
    patterns = (*UNREAD_FOLDERS, *(SHAKEN_FOLDERS if tree_shaking else ()))
    unread_folders = [folder for pattern in patterns for folder in site.glob(pattern)]
    for folder in [*site.rglob("__pycache__"), *unused, *unread_folders]:
        shutil.rmtree(folder)
    for path in [path for path in site.rglob("*") if path.is_file()]:
        of_metadata = path.relative_to(site).parts[0].endswith(".dist-info")
        unread = of_metadata and path.name not in READ_OF_METADATA
        if unread or path.suffix in UNPACKED_SUFFIXES or path.name in UNPACKED_FILES:
            path.unlink()
        elif path.name == "METADATA":
            # The name, the version and the requirements, without the README that follows them.
            _replace(path, path.read_bytes().partition(b"\n\n")[0] + b"\n")
        elif tree_shaking and ".so" in path.suffixes:
            _replace(path, without_symbols(path.read_bytes()))


def _replace(path: Path, data: bytes) -> None:
    """Write a new file, never in place: uv links what it installs, so the same file is in its cache and in
    environments."""
    path.unlink()
    path.write_bytes(data)


def _compile(command: list[str], interpreter: Interpreter, *flags: str) -> None:
    _run([str(interpreter.python), *flags, *command], COMPILE_SECONDS, "compiling")


def _zip(folder: Path, archive_path: Path) -> None:
    """Add every file of `folder` to an archive, in order and without times."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(archive_path, "a", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, TIMESTAMP)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def _run(command: list[str], seconds: float, action: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise PackagingError(f"{action} took longer than {seconds:.0f} s") from None
    except OSError as error:
        raise PackagingError(f"{action}: cannot run {command[0]}: {error}") from None
    if done.returncode != 0:
        raise PackagingError(f"{action} failed: {(done.stderr or done.stdout).strip()[-2000:]}")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
