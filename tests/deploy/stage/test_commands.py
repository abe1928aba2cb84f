"""The operators' commands and bad input: one clear line, exit code 1, nothing changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from deploy import cli
from deploy.local.ports import free_port
from deploy.package.interpreters import RUNNING, python_of
from deploy.stage.environment import Options, caller_identity, environment_of
from deploy.stage.errors import DeployError, PackagingError, RefusedError, StackError, UnhealthyError
from deploy.stage.health import check_health
from tests.deploy.stand_in import StandIn

FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {"FunctionName": "tenfold-prod-demo-Api", "Handler": "chassis.runtime.lambda_api.handler"},
}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    clean |= {"COLUMNS": "200", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", **environment}
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments], capture_output=True, text=True, timeout=60, env=clean,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stage", "Prod", "status"], "'Prod' cannot be a stage"),
        (["--stage", "prod", "--runtime", "cloud", "status"], "there is no runtime 'cloud'; use lambda or worker"),
        (["--stage", "prod", "--architecture", "mips", "status"], "there is no architecture 'mips'"),
        (["--stage", "prod", "status"], "no AWS credentials found; set AWS_PROFILE, or say ENDPOINT=..."),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_missing_network_is_one_line() -> None:
    done = run("--stage", "dev", "--endpoint", f"http://127.0.0.1:{free_port()}", "deploy")
    assert done.returncode == 1
    assert "cannot reach AWS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["deploy-service", "diff", "rollback"])
def test_an_unknown_service_is_named_with_those_there_are(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    monkeypatch.setattr(cli, "caller_identity", lambda _: "000000000000 as test")
    done = CliRunner().invoke(
        cli.app, ["--stage", "dev", "--endpoint", "http://127.0.0.1:9", command, "--service", "taks"]
    )
    assert isinstance(done.exception, DeployError)
    assert str(done.exception).startswith("there is no service 'taks'; the services are analytics, audit, files,")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoCredentialsError(), "no AWS credentials found"),
        (EndpointConnectionError(endpoint_url="https://sts"), "cannot reach AWS"),
        (ClientError({"Error": {"Code": "ExpiredToken"}}, "GetCallerIdentity"), "have expired; sign in again"),
        (ClientError({"Error": {"Code": "InvalidClientTokenId"}}, "GetCallerIdentity"), "AWS refuses the credentials"),
    ],
)
def test_credentials_that_do_not_work_say_what_to_do(error: Exception, said: str) -> None:
    with pytest.raises(StackError, match=said):
        caller_identity(StandIn(get_caller_identity=error))


def test_snapstart_wants_a_python_that_has_it() -> None:
    with pytest.raises(RefusedError, match=r"needs Python 3\.12"):
        environment_of(Options("prod", snapstart=True, python="3.11"))
    assert environment_of(Options("prod", snapstart=True)).target.snapstart


def test_the_functions_of_aws_run_on_one_python_whichever_deploys_them() -> None:
    there = environment_of(Options("prod"))
    assert there.target.runtime == "python3.13"
    assert (there.interpreter.version, there.interpreter.platform) == ("3.13", "aarch64-manylinux_2_28")
    assert there.target.aliases
    assert there.target.architecture == "arm64"
    with pytest.raises(RefusedError, match=r"do not run on Python 3\.9; use one of 3\.11"):
        environment_of(Options("prod", python="3.9"))


def test_a_python_that_is_not_here_is_asked_for_in_one_line() -> None:
    assert python_of(RUNNING) == Path(sys.executable)
    with pytest.raises(PackagingError, match=rf"on Python 3\.99, .*\(error: .+\).* LAMBDA_PYTHON={RUNNING}$"):
        python_of("3.99")


def test_healthy_is_what_answers_200() -> None:
    template = {"Resources": {"Api": FUNCTION, "ApiAlias": {"Type": "AWS::Lambda::Alias"}}}
    aws = StandIn(invoke={"Payload": {"statusCode": 200}})
    assert check_health(aws, template) == 1
    assert aws.calls[0]["FunctionName"] == "tenfold-prod-demo-Api:live"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"Payload": {"statusCode": 503, "body": "the table can't be read"}}, "is not ready: the table can't be read"),
        (
            {"FunctionError": "Unhandled", "Payload": {"errorType": "ImportError", "errorMessage": "no x"}},
            "fails: ImportError: no x",
        ),
        (ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Invoke"), "cannot be called"),
    ],
)
def test_what_is_ill_says_how(answer: object, said: str) -> None:
    with pytest.raises(UnhealthyError, match=said):
        check_health(StandIn(invoke=answer), {"Resources": {"Api": FUNCTION}})
