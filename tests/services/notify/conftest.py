import pytest

from tests.services.notify.support import Notify


@pytest.fixture
async def notify() -> Notify:
    """With Ada, Bo and Cy as members of Acme."""
    notify = Notify()
    await notify.add_members("user_ada", "user_bo", "user_cy")
    notify.store.writes = 0
    return notify
