"""`make e2e`: what it refuses, what it finds missing, and the day where Cognito and SES are."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from rich.console import Console

from deploy.aws import Aws
from deploy.embedded.emulator import Emulator
from deploy.errors import StackError
from deploy.services import ROOT
from examples.first_day.client import Api, Person
from examples.first_day.inputs import SAMPLE, read_inputs
from examples.first_day.run import play_at
from tests.e2e.capabilities import capabilities, lacking
from tests.e2e.lacking import Lacking
from tests.e2e.targets import Teller, at_url, unique_stage

ALL = ("cognito-idp", "apigatewayv2", "sesv2")


def e2e(*arguments: str, **environment: str) -> tuple[int, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e", *arguments],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "moon"], "there is no target 'moon'; use ministack, localstack, url, aws"),
        (["--target", "url"], "needs AWS_ENDPOINT_URL"),
        (["--target", "url", "--endpoint", "http://127.0.0.1:9"], "no AWS answers at http://127.0.0.1:9"),
        (["--target", "aws"], "say YES=1"),
        (["--target", "aws", "--yes", "--python", "2.7"], "functions do not run on Python 2.7"),
        (["--target", "aws", "--yes"], "no AWS credentials found"),
    ],
)
def test_bad_input_gets_one_line(arguments: list[str], said: str) -> None:
    code, text = e2e(*arguments, AWS_EC2_METADATA_DISABLED="true", HOME="/nowhere")
    assert code == 1
    assert said in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("prefix", ["", "TENFOLD_"])
def test_what_is_exported_in_the_shell_does_not_confirm_an_account(prefix: str) -> None:
    code, text = e2e("--target", "aws", **{f"{prefix}YES": "1", f"{prefix}TARGET": "ministack"})
    assert (code, "say YES=1" in text) == (1, True)


def test_without_docker_there_is_no_localstack() -> None:
    code, text = e2e("--target", "localstack", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert code == 3
    assert "there is none here" in text.splitlines()[-1]


def test_no_two_runs_share_a_stage() -> None:
    assert unique_stage().isalnum()
    assert len(unique_stage()) <= 12


class Refusing(Aws):
    """Its credentials may not ask."""

    def brief(self, service: str) -> object:
        class Client:
            def __getattr__(self, operation: str) -> object:
                from botocore.exceptions import ClientError

                def refuse(**_: object) -> None:
                    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

                return refuse

        return Client()


def test_who_may_not_ask_is_not_told_that_it_is_missing() -> None:
    with pytest.raises(StackError, match="may not ask for Cognito"):
        capabilities(Refusing())


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def emulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Emulator]:
    folder: Path = tmp_path_factory.mktemp("target")
    with Emulator(folder) as running:
        yield running


def stacks_and_tables(aws: Aws) -> tuple[list[str], list[str], list[str]]:
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    tables = aws.client("dynamodb").list_tables()["TableNames"]
    buckets = [one["Name"] for one in aws.client("s3").list_buckets()["Buckets"]]
    return [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"], tables, buckets


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.asyncio(loop_scope="module")
async def test_the_day_without_cognito_and_without_mail(emulator: Emulator) -> None:
    """The proxy is not part of the promise: it shows that nothing calls the services that are missing."""
    tell = Teller(Console(stderr=True), time.monotonic())
    async with Lacking(emulator.endpoint_url, ALL) as proxy:
        assert lacking(capabilities(emulator.aws)) == frozenset()
        async with at_url(tell, proxy.endpoint_url) as scene:
            asked = len(proxy.refused)
            _, outcome, _ = await play_at(scene, read_inputs(SAMPLE), progress=tell)
            assert outcome.good, outcome.effects
            assert len(proxy.refused) == asked == 3
    assert stacks_and_tables(emulator.aws) == ([], [], [])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.asyncio(loop_scope="module")
async def test_who_signs_up_where_mail_cannot_be_read_is_confirmed_by_an_operator(emulator: Emulator) -> None:
    tell = Teller(Console(stderr=True), time.monotonic())
    async with (
        Lacking(emulator.endpoint_url, ("sesv2",)) as proxy,
        at_url(tell, proxy.endpoint_url) as scene,
        aiohttp.ClientSession() as session,
    ):
        ada = Person(Api(scene.base_url, session), "ada@acme.example", "Ada Byrne")
        await ada.sign_up()
        await ada.confirm(await scene.mailroom.code(ada.email))
        await ada.sign_in()
        assert (await ada.call("GET", "/v1/me"))["email"] == ada.email
    assert stacks_and_tables(emulator.aws) == ([], [], [])
