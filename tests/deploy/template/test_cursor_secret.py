"""The platform's stack makes the key of cursors; processes read it, and go on reading while it rotates."""

from pathlib import Path

import pytest

from awsjson import AwsJson, StaticCredentials
from chassis.aws.secrets import SecretCursorKeys
from chassis.clock import SystemClock
from chassis.storage.cursors import open_cursor, seal_cursor
from deploy.embedded.emulator import Emulator
from deploy.stage.stacks import Stacks
from deploy.template import Target, platform_template, render

pytestmark = pytest.mark.ministack


async def test_cursors_are_signed_by_the_stage_s_secret_and_outlive_a_rotation(tmp_path: Path) -> None:
    target = Target("test", local=True)
    with Emulator(tmp_path / "state") as emulator:
        Stacks(emulator.aws).deploy("tenfold-test-platform", render(platform_template(target)))
        keys, secret = StaticCredentials("test", "test"), target.names.cursor_secret
        async with AwsJson(region="us-east-1", endpoint_url=emulator.endpoint_url, credentials=keys) as calls:
            first = SecretCursorKeys(calls, secret, SystemClock())
            cursor = await seal_cursor(first, "tasks", "1")
            assert len((await first.keys())[0]) == 64
            emulator.aws.client("secretsmanager").put_secret_value(SecretId=secret, SecretString="the next key")
            second = SecretCursorKeys(calls, secret, SystemClock())
            assert list(await second.keys()) == [b"the next key", *await first.keys()]
            assert await open_cursor(second, "tasks", cursor) == "1"
