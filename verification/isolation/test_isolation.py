"""No organization reaches another's data, at any layer of any service."""

import pytest

from deploy.services import service_names
from verification.isolation.run import attack_service, table


@pytest.mark.parametrize("service", service_names())
async def test_no_attack_succeeds_and_none_is_missing(service: str) -> None:
    report = await attack_service(service)
    assert [str(leak) for leak in report.leaks] == []
    assert report.uncovered == []
    assert report.attacks > 100, table([report])
