"""The services: the folders under `services/` that declare one. No list is kept anywhere."""

from pathlib import Path

from deploy.errors import DeployError

ROOT = Path(__file__).resolve().parents[1]


def service_names(root: Path = ROOT) -> tuple[str, ...]:
    """The services declared under `root/services`, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in (root / "services").glob("*/service.py")))


def require_service(name: str, root: Path = ROOT) -> str:
    """`name` itself. Raises DeployError, naming those that exist, if it is not a service."""
    names = service_names(root)
    if name not in names:
        raise DeployError(f"there is no service {name!r}; the services are {', '.join(names) or 'none yet'}")
    return name
