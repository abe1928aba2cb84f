"""botocore's credential chain, each link against a server that runs on the test's own event loop.

A lookup that blocked the loop would wait for itself, and the test would time out.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from awsjson import AwsJson
from awsjson_suite.stubs import CannedAws

SOON = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
STS = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>WEB</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>{soon}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


def keys_called(name: str) -> dict[str, str]:
    return {"Code": "Success", "AccessKeyId": name, "SecretAccessKey": "s", "Token": "t", "Expiration": SOON}


@pytest.fixture
async def metadata_url() -> AsyncIterator[str]:
    """The address of a server that acts as the metadata services of container and instance, and as STS."""

    async def container(request: web.Request) -> web.Response:
        return web.json_response(keys_called("CONTAINER"))

    async def token(request: web.Request) -> web.Response:
        return web.Response(text="token")

    async def role(request: web.Request) -> web.Response:
        assert request.headers["x-aws-ec2-metadata-token"] == "token"
        return web.Response(text="the-role")

    async def instance(request: web.Request) -> web.Response:
        return web.json_response(keys_called("INSTANCE"))

    async def sts(request: web.Request) -> web.Response:
        form = await request.post()
        assert form["WebIdentityToken"] == "signed-by-the-cluster"
        return web.Response(text=STS.format(soon=SOON), content_type="text/xml")

    app = web.Application()
    app.router.add_get("/container", container)
    app.router.add_put("/latest/api/token", token)
    for base in ("security-credentials", "security-credentials-extended"):
        app.router.add_get(f"/latest/meta-data/iam/{base}/", role if base == "security-credentials" else missing)
        app.router.add_get(f"/latest/meta-data/iam/{base}/the-role", instance)
    app.router.add_post("/", sts)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def missing(request: web.Request) -> web.Response:
    raise web.HTTPNotFound


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


async def key_in_use(aws: CannedAws) -> str:
    async with AwsJson(region="eu-central-1", endpoint_url=aws.url) as client:
        await client.call("sqs", "ListQueues", {})
    headers = aws.requests[-1][0]
    return headers["Authorization"].partition("Credential=")[2].partition("/")[0]


async def test_a_profile(aws: CannedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[other]\naws_access_key_id = PROFILE\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert await key_in_use(aws) == "PROFILE"


async def test_a_profile_with_a_region_and_an_endpoint(
    aws: CannedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text("[other]\naws_access_key_id = PROFILE\naws_secret_access_key = s\n")
    (tmp_path / "config").write_text(
        f"[profile other]\nregion = eu-west-3\nservices = mine\n[services mine]\nsqs =\n  endpoint_url = {aws.url}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "other")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    async with AwsJson() as client:
        await client.call("sqs", "ListQueues", {})
    assert "/eu-west-3/sqs/" in aws.requests[-1][0]["Authorization"]


async def test_a_process(aws: CannedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "keys.json"
    script.write_text(f'{{"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "s", "Expiration": "{SOON}"}}')
    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {script}\n")
    assert await key_in_use(aws) == "PROCESS"


async def test_a_web_identity(
    aws: CannedAws, metadata_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("signed-by-the-cluster")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::000000000000:role/worker")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", metadata_url)
    assert await key_in_use(aws) == "WEB"
    assert aws.requests[-1][0]["X-Amz-Security-Token"] == "t"


async def test_a_containers_role(aws: CannedAws, metadata_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{metadata_url}/container")
    assert await key_in_use(aws) == "CONTAINER"


async def test_an_instances_role(aws: CannedAws, metadata_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"{metadata_url}/")
    assert await key_in_use(aws) == "INSTANCE"
