"""The operators' commands: bad input is one clear line and changes nothing, and exported variables have no effect."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from deploy.__main__ import command_line
from deploy.commands import stage
from deploy.embedded.ports import free_port
from deploy.errors import DeployError, PackagingError, RefusedError, StackError, UnhealthyError
from deploy.package.interpreters import RUNNING, python_of
from deploy.stage import environment
from deploy.stage.command import Command
from deploy.stage.environment import Options, caller_identity, environment_of
from deploy.stage.health import check_health
from tests.deploy.stand_in import StandIn

FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {"FunctionName": "tenfold-prod-demo-Api", "Handler": "chassis.runtime.lambda_api.handler"},
}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    clean |= {"COLUMNS": "200", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", **variables}
    return subprocess.run(
        [sys.executable, "-m", "deploy", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["deploy"], "name the stage: STAGE=dev, or --stage dev"),
        (["status", "--stage", "Prod"], "'Prod' cannot be a stage"),
        (["status", "--stage", "prod", "--runtime", "cloud"], "there is no runtime 'cloud'; use lambda or worker"),
        (["status", "--stage", "prod", "--architecture", "mips"], "there is no architecture 'mips'"),
        (["status", "--stage", "prod"], "no AWS credentials found; set AWS_PROFILE, or say ENDPOINT=..."),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_missing_network_is_one_line() -> None:
    done = run("deploy", "--stage", "dev", "--endpoint", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "cannot reach AWS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["deploy-service", "diff", "rollback"])
def test_an_unknown_service_is_named_with_the_existing_ones(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "caller_identity", lambda _: "000000000000 as test")
    with pytest.raises(DeployError, match=r"^there is no service 'taks'; the services are analytics, audit, files,"):
        command_line().main([command, "taks", "--stage", "dev", "--endpoint", "http://127.0.0.1:9"])


DANGEROUS = dict.fromkeys(
    ("YES", "ALLOW_REPLACE", "RECREATE", "ADOPT", "WITH_DATA", "SWAP", "DROP", "WITH_EFFECTS"), "1"
)
EXPORTED = DANGEROUS | {"STAGE": "prod", "ENDPOINT": "http://127.0.0.1:9", "SERVICE": "tasks", "ORG": "org_1"}


@pytest.mark.parametrize("prefix", ["", "TENFOLD_"])
def test_what_is_exported_in_the_shell_confirms_nothing(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EXPORTED.items():
        monkeypatch.setenv(f"{prefix}{name}", value)
    seen: list[Command] = []
    monkeypatch.setattr(environment, "caller_identity", lambda _: "000000000000 as test")
    monkeypatch.setattr(stage, "deploy_all", seen.append)
    monkeypatch.setattr(stage, "destroy_stage", lambda command, *, with_data: seen.extend([command] * (1 + with_data)))
    command_line().main(["deploy", "--stage", "dev"], standalone_mode=False)
    command_line().main(["destroy", "--stage", "dev"], standalone_mode=False)
    for command in seen:
        assert (command.environment.target.stage, command.environment.aws.endpoint_url) == ("dev", None)
        assert not any((command.allow_replace, command.recreate, command.adopt, command.console.yes))
        with pytest.raises(RefusedError, match="nobody is here to confirm; say YES=1"):
            command.console.confirm("Deploy the platform of prod?")
    assert len(seen) == 2


def test_flags_and_prefixed_variables_set_what_is_exported_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_SNAPSTART", "1")
    monkeypatch.setenv("TENFOLD_TREE_SHAKING", "1")
    seen: list[Command] = []
    monkeypatch.setattr(environment, "caller_identity", lambda _: "000000000000 as test")
    monkeypatch.setattr(stage, "deploy_all", seen.append)
    command_line().main(["deploy", "--stage", "prod", "--yes", "--adopt"], standalone_mode=False)
    (command,) = seen
    assert command.environment.target.snapstart
    assert command.environment.tree_shaking
    assert command.console.yes
    assert command.adopt


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
