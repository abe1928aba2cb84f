"""The whole of identity on the embedded AWS: its stack, its pool, its trigger as a Lambda, its API."""

import io
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from chassis.auth.discovery import fetch_keys, issuer_finder
from chassis.auth.tokens import TokenClaims, TokenVerifier
from chassis.aws.client import Aws
from chassis.http.app import make_app
from chassis.http.state import ApiState
from chassis.runtime.bootstrap import make_context
from chassis.testing.service import ServiceUnderTest
from chassis.work.context import ServiceContext
from contracts.common import Role
from contracts.tenancy import v1 as tenancy
from deploy.aws import LOCAL_CREDENTIALS, REGION
from deploy.embedded.emulator import Emulator, emulator_venv
from deploy.package.packaging import interpreter_of
from deploy.services import ROOT
from deploy.stage.stacks import Stacks
from deploy.template import Target, environment_variables_of, platform_template, render, service_template
from services.identity.memberships.consumers import memberships
from services.identity.service import service
from services.identity.settings import IdentitySettings

pytestmark = pytest.mark.ministack

EMAIL, PASSWORD = "ada@acme.example", "Blue-Harbor-47"
OTHER = "bo@acme.example"
TRIGGER_FILES = (
    "chassis/__init__.py",
    "chassis/storage/attribute_values.py",
    "chassis/storage/keys.py",
    "services/identity/__init__.py",
    "services/identity/memberships/__init__.py",
    "services/identity/memberships/claims.py",
    "services/identity/triggers/__init__.py",
    "services/identity/triggers/repository.py",
    "services/identity/triggers/usecases.py",
)
"""All of our code that the trigger needs."""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("identity")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def variables(emulator: Emulator) -> dict[str, str]:
    """The environment of the deployed service's processes."""
    target = Target("test", local=True, runtime=interpreter_of(emulator_venv()).runtime, architecture="x86_64")
    stacks = Stacks(emulator.aws)
    bucket = stacks.deploy("tenfold-test-platform", render(platform_template(target)))["ArtifactBucket"]
    emulator.aws.client("s3").put_object(Bucket=bucket, Key="identity.zip", Body=zipped())
    outputs = stacks.deploy(
        "tenfold-test-identity",
        render(service_template(service, target)),
        parameters={"CodeBucket": bucket, "CodeKey": "identity.zip"},
    )
    variables = environment_variables_of(outputs) | LOCAL_CREDENTIALS
    return variables | {"TENFOLD_STAGE": "test", "AWS_ENDPOINT_URL": emulator.endpoint_url}


@pytest.fixture
def deployed(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> IdentitySettings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return IdentitySettings()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in TRIGGER_FILES:
            archive.write(ROOT / name, name)
    return buffer.getvalue()


class Deployed:
    """Identity's API and consumer on their real adapters."""

    def __init__(self, context: ServiceContext, verifier: TokenVerifier, client: httpx.AsyncClient) -> None:
        self.verifier, self.client = verifier, client
        self._under_test = ServiceUnderTest(service)
        self._under_test.context = context

    async def post(self, path: str, *, token: str | None = None, **body: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.post(f"/v1/auth/{path}", json=body, headers=headers)

    async def claims(self, answer: httpx.Response) -> TokenClaims:
        """The claims of the access token in an answer, verified by the pool's published keys."""
        assert answer.status_code == 200, answer.text
        return await self.verifier.verify(answer.json()["access_token"])

    async def join(self, user_id: str, org_id: str, role: Role) -> None:
        event = tenancy.MemberAdded(user_id=user_id, email=EMAIL, name="Ada", role=role)
        await self._under_test.deliver(memberships, event, org_id=org_id, version=3)

    async def leave(self, user_id: str, org_id: str) -> None:
        event = tenancy.MemberRemoved(user_id=user_id, email=EMAIL, name="Ada", role=Role.OWNER)
        await self._under_test.deliver(memberships, event, org_id=org_id, version=4)


@asynccontextmanager
async def running(settings: IdentitySettings) -> AsyncIterator[Deployed]:
    aws = Aws(REGION, settings.aws_endpoint_url)
    await aws.open()
    context = make_context(service, settings, aws)
    verifier = TokenVerifier(issuer_finder(settings, aws), fetch_keys, context.clock)
    transport = httpx.ASGITransport(app=make_app(service, ApiState(context, verifier), ready))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Deployed(context, verifier, client)
    finally:
        await aws.close()


async def ready() -> str | None:
    return None


def code_mailed_to(emulator: Emulator, email: str) -> str:
    [mail] = [mail for mail in emulator.mailbox() if mail.to == (email,)]
    assert mail.subject == "Your Tenfold code"
    prefix, code = mail.text.rstrip(".").rsplit(" ", 1)
    assert prefix == "Your confirmation code is"
    return code


async def test_from_sign_up_to_the_claims_of_two_organizations(emulator: Emulator, deployed: IdentitySettings) -> None:
    async with running(deployed) as identity:
        user_id = await register(identity, emulator, EMAIL)
        await check_refusals(identity)
        signed_in = await identity.post("sign-in", email=EMAIL, password=PASSWORD)
        claims = await identity.claims(signed_in)
        assert claims == TokenClaims(user_id=user_id, email=EMAIL, name="Ada")
        session = signed_in.json()
        assert session["expires_in"] == 8 * 3600

        await identity.join(user_id, "org_a", Role.MEMBER)
        await identity.join(user_id, "org_b", Role.OWNER)
        refreshed = await identity.post("refresh", refresh_token=session["refresh_token"])
        claims = await identity.claims(refreshed)
        assert (claims.org, claims.role, claims.mv) == ("org_a", Role.MEMBER, 3)

        bearer = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
        switched = await identity.client.put("/v1/me/active-organization", json={"org_id": "org_b"}, headers=bearer)
        assert switched.json() == {"active_org_id": "org_b"}
        claims = await identity.claims(await identity.post("refresh", refresh_token=session["refresh_token"]))
        assert (claims.org, claims.role) == ("org_b", Role.OWNER)

        await identity.leave(user_id, "org_b")
        claims = await identity.claims(await identity.post("refresh", refresh_token=session["refresh_token"]))
        assert claims.org == "org_a"
        await sign_out(identity, session)


async def register(identity: Deployed, emulator: Emulator, email: str) -> str:
    """Signs up and confirms, each twice, and returns the one user's id."""
    body = {"email": email, "password": PASSWORD, "name": "Ada"}
    first, again = [
        await identity.client.post("/v1/auth/sign-up", json=body, headers={"Idempotency-Key": email}) for _ in "12"
    ]
    assert (first.status_code, again.status_code) == (201, 201), first.text
    other = await identity.post("sign-up", **body)
    assert other.status_code == 409
    unconfirmed = await identity.post("sign-in", email=email, password=PASSWORD)
    assert unconfirmed.status_code == 409
    code = code_mailed_to(emulator, email)
    confirmed = [await identity.post("confirm", email=email, code=code) for _ in "12"]
    assert [answer.status_code for answer in confirmed] == [200, 200]
    user_ids = {answer.json()["user_id"] for answer in (first, again, *confirmed)}
    [user_id] = user_ids
    return str(user_id)


async def check_refusals(identity: Deployed) -> None:
    wrong = await identity.post("sign-in", email=EMAIL, password="Not-my-password-1")
    unknown = await identity.post("sign-in", email="nobody@acme.example", password=PASSWORD)
    weak = await identity.post("sign-up", email="weak@acme.example", password="weakweakweak", name="Bo")
    assert (wrong.status_code, unknown.status_code, weak.status_code) == (401, 401, 422)
    assert (await identity.post("refresh", refresh_token="made-up")).status_code == 401


async def sign_out(identity: Deployed, session: dict[str, str]) -> None:
    """The embedded Cognito compares whole seconds, so that a sign-out within the sign-in's has to be repeated."""
    deadline, status = time.monotonic() + 5, 0
    while status != 401 and time.monotonic() < deadline:
        assert (await identity.post("sign-out", token=session["access_token"])).status_code == 204
        status = (await identity.post("refresh", refresh_token=session["refresh_token"])).status_code
    assert status == 401


async def test_a_failing_trigger_refuses_the_token(emulator: Emulator, deployed: IdentitySettings) -> None:
    """No token is better than one with old or missing claims."""
    function, client = "tenfold-test-identity-AddClaims", emulator.aws.client("lambda")
    right = client.get_function_configuration(FunctionName=function)["Environment"]
    wrong = {"Variables": {**right["Variables"], "TENFOLD_TABLE": "not-there"}}
    async with running(deployed) as identity:
        await register(identity, emulator, OTHER)
        client.update_function_configuration(FunctionName=function, Environment=wrong)
        try:
            answer = await identity.post("sign-in", email=OTHER, password=PASSWORD)
        finally:
            client.update_function_configuration(FunctionName=function, Environment=right)
        assert (await identity.post("sign-in", email=OTHER, password=PASSWORD)).status_code == 200
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("/unavailable")
