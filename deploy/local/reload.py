"""Restarts what a change of code touches."""

from collections.abc import Callable, Iterable
from pathlib import Path

import aiohttp
from watchfiles import Change, DefaultFilter, awatch

from deploy.local.system import LocalSystem
from deploy.services import ROOT
from deploy.stage.errors import DeployError

SHARED = ("chassis", "contracts", "awsjson/src", "faststream-sqs/src")


class CodeFilter(DefaultFilter):
    """What a service's process reads at its start: code and templates, no caches."""

    def __call__(self, change: Change, path: str) -> bool:
        return super().__call__(change, path) and not path.endswith((".pyc", ".md", ".lock"))


def touched(paths: Iterable[str], services: Iterable[str], root: Path) -> list[str]:
    """The services that read one of `paths`: the one whose folder it is in, or all."""
    names = set(services)
    found: set[str] = set()
    for path in paths:
        owners = {name for name in names if Path(path).is_relative_to(root / "services" / name)}
        found |= owners or names
    return sorted(found)


async def reload_on_change(system: LocalSystem, progress: Callable[[str], None], root: Path = ROOT) -> None:
    """Until cancelled: deploy what the changed declarations say, then restart the services that changed. A service
    that does not come up stays down, with its reason told, until the next change."""
    folders = [root / "services", *(ROOT / shared for shared in SHARED)]
    async for changes in awatch(*(folder for folder in folders if folder.exists()), watch_filter=CodeFilter()):
        names = touched((path for _, path in changes), system.services, root)
        progress(f"code changed: restarting {', '.join(names)}")
        try:
            await system.redeploy()
            for name in names:
                await system.restart_service(name)
        except (DeployError, aiohttp.ClientError, TimeoutError) as error:
            progress(str(error))
