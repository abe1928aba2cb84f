"""Restarts the services that a change of code affects."""

from collections.abc import Callable, Iterable
from pathlib import Path

import aiohttp
from watchfiles import Change, DefaultFilter, awatch

from deploy.errors import DeployError
from deploy.local.system import LocalSystem
from deploy.services import ROOT

SHARED = ("chassis", "contracts", "awsjson/src", "faststream-sqs/src")


class CodeFilter(DefaultFilter):
    """Filter for the files that a service's process reads at its start: code and templates, no caches."""

    def __call__(self, change: Change, path: str) -> bool:
        return super().__call__(change, path) and not path.endswith((".pyc", ".md", ".lock"))


def services_affected_by(paths: Iterable[str], services: Iterable[str], root: Path) -> list[str]:
    """The services that read one of `paths`: the service in whose folder it is, or all."""
    names = set(services)
    affected: set[str] = set()
    for path in paths:
        owners = {name for name in names if Path(path).is_relative_to(root / "services" / name)}
        affected |= owners or names
    return sorted(affected)


async def reload_on_change(system: LocalSystem, progress: Callable[[str], None], root: Path = ROOT) -> None:
    """Until cancelled: deploy the changed declarations, then restart the services that changed. A service that does not
    come up stays down, with its reason reported, until the next change."""
    folders = [root / "services", *(ROOT / shared for shared in SHARED)]
    async for changes in awatch(*(folder for folder in folders if folder.exists()), watch_filter=CodeFilter()):
        names = services_affected_by((path for _, path in changes), system.services, root)
        progress(f"code changed: restarting {', '.join(names)}")
        try:
            await system.redeploy()
            for name in names:
                await system.restart_service(name)
        except (DeployError, aiohttp.ClientError, TimeoutError) as error:
            progress(str(error))
