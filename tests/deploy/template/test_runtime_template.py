"""The Lambda runtime of the fixture service in its template."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer

from chassis.declare.service import Schedule, Service
from deploy.errors import TemplateError
from deploy.template import Target, Template, platform_template, service_template
from deploy.template.base import Canary
from deploy.template.quotas import check_limits

PROD = Target("prod", lambdas=True, aliases=True, snapstart=True, canary=Canary(20, 7))
router = APIRouter()


@router.get("/v1/things")
async def public() -> None: ...


@router.post("/v1/things/{thing_id}")
async def guarded(thing_id: str, token: Any = Depends(HTTPBearer())) -> None: ...


@pytest.fixture
def declared(demo: Service) -> Service:
    return Service(
        "demo",
        api=f"{__name__}:router",
        table=demo.table,
        subscriptions=demo.subscriptions,
        publishes=demo.publishes,
        schedules=(Schedule("seal", "services.demo.consumers:seal", every=timedelta(seconds=2)),),
        resources=demo.resources,
    )


@pytest.fixture(autouse=True)
def own_router(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test modules cannot be imported by name here."""
    monkeypatch.setattr(Service, "load_router", lambda _: router)


@pytest.fixture
def template(declared: Service) -> Template:
    return service_template(declared, PROD, "demo/abc.zip")


def properties(template: Template, logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][logical_id]["Properties"]
    return found


def kinds(template: Template, kind: str) -> list[str]:
    return sorted(name for name, one in template["Resources"].items() if one["Type"] == kind)


def test_each_queue_has_a_function_that_reports_what_failed(template: Template) -> None:
    source = properties(template, "ThingsConsumerSource")
    assert source["EventSourceArn"] == {"Fn::GetAtt": ["ThingsQueue", "Arn"]}
    assert source["FunctionName"] == {"Ref": "ThingsConsumerAlias"}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    consumer = properties(template, "ThingsConsumer")
    assert consumer["Environment"]["Variables"]["TENFOLD_SUBSCRIPTION"] == "services.demo.consumers:things"
    assert properties(template, "ThingsQueue")["VisibilityTimeout"] == 6 * consumer["Timeout"]


def test_a_consumer_may_read_its_own_queue_only(template: Template) -> None:
    (policy,) = properties(template, "ThingsConsumerRole")["Policies"]
    queues = [one for one in policy["PolicyDocument"]["Statement"] if "sqs:ReceiveMessage" in one["Action"]]
    assert [one["Resource"] for one in queues] == [[{"Fn::GetAtt": ["ThingsQueue", "Arn"]}]]
    (of_api,) = properties(template, "ApiRole")["Policies"]
    assert "sqs:" not in str(of_api)
    assert "ProcessPolicy" not in template["Resources"]


def test_guarded_routes_ask_the_authorizer_once_there_is_one(template: Template) -> None:
    preflights = ["RouteOptionsV1Things", "RouteOptionsV1ThingsThingId"]
    assert kinds(template, "AWS::ApiGatewayV2::Route") == ["RouteGetV1Things", *preflights, "RoutePostV1ThingsThingId"]
    assert {template["Resources"][name]["Properties"]["AuthorizationType"] for name in preflights} == {"NONE"}
    assert properties(template, "RouteGetV1Things")["AuthorizationType"] == "NONE"
    route = properties(template, "RoutePostV1ThingsThingId")
    assert route["RouteKey"] == "POST /v1/things/{thing_id}"
    assert route["AuthorizationType"] == {"Fn::If": ["HasAuthorizer", "JWT", "NONE"]}
    assert template["Parameters"]["AuthorizerId"]["Default"] == ""
    assert template["Conditions"].keys() == {"HasAuthorizer"}


def test_schedules_run_at_aws_shortest_period_and_keep_what_fails(template: Template) -> None:
    schedule = properties(template, "SealSchedule")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["Input"] == '{"schedule": "seal"}'
    assert schedule["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["SchedulesDeadLetters", "Arn"]}}
    assert properties(template, "SweepOutboxSchedule")["Target"]["Input"] == '{"schedule": "sweep-outbox"}'


def test_a_service_that_does_neither_has_no_function_for_schedules(demo: Service) -> None:
    quiet = service_template(Service("quiet", api=demo.api, table=demo.table), PROD)
    assert "Schedules" not in quiet["Resources"]


def test_a_shift_moves_a_part_first_and_stops_at_its_alarm(template: Template) -> None:
    alias = template["Resources"]["ApiAlias"]
    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"] == {"Ref": "ApiShift"}
    pace = properties(template, "ShiftingPace")["TrafficRoutingConfig"]["TimeBasedCanary"]
    assert pace == {"CanaryPercentage": 20, "CanaryInterval": 7}
    group = properties(template, "ApiShift")
    assert group["AlarmConfiguration"]["Alarms"] == [{"Name": {"Ref": "ApiShiftErrors"}}]
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert {"Name": "Resource", "Value": {"Fn::Sub": "${Api}:live"}} in properties(template, "ApiShiftErrors")[
        "Dimensions"
    ]


def test_other_code_is_another_version_and_the_same_code_is_not(declared: Service) -> None:
    versions = [
        kinds(service_template(declared, PROD, code), "AWS::Lambda::Version") for code in ("one", "one", "other")
    ]
    assert versions[0] == versions[1]
    assert not set(versions[0]) & set(versions[2])
    assert all(properties(service_template(declared, PROD, "one"), name)["FunctionName"] for name in versions[0])


def test_operators_are_told_of_what_they_must_act_on(template: Template) -> None:
    alarms = set(kinds(template, "AWS::CloudWatch::Alarm"))
    assert {"ThingsDeadLettersAlarm", "ThingsAgeAlarm", "SchedulesDeadLettersAlarm"} <= alarms
    for function in ("Api", "ThingsConsumer", "Schedules", "PreToken"):
        assert {f"{function}ErrorsAlarm", f"{function}ThrottlesAlarm", f"{function}DurationAlarm"} <= alarms
    assert kinds(template, "AWS::CloudWatch::Dashboard") == ["Dashboard"]


def test_the_laptops_processes_have_none_of_it(declared: Service) -> None:
    found = {one["Type"] for one in service_template(declared, Target("local", local=True))["Resources"].values()}
    assert not {kind for kind in found if "ApiGateway" in kind or "CloudWatch" in kind or "Scheduler" in kind}
    assert "AWS::ApiGatewayV2::Api" not in str(platform_template(Target("local", local=True)))


def test_who_makes_the_authorizer_uses_it_at_once() -> None:
    from services.identity.service import service as identity

    template = service_template(identity, PROD)
    assert "AuthorizerId" not in template["Parameters"]
    assert template["Resources"]["Authorizer"]["Properties"]["JwtConfiguration"]["Audience"] == [
        {"Ref": "UserPoolClient"}
    ]


@pytest.mark.parametrize("stage", ["", "Prod", "a-b", "a" * 13, "1st"])
def test_a_stage_that_cannot_be_a_name_is_refused(stage: str) -> None:
    with pytest.raises(TemplateError, match="cannot be a stage"):
        Target(stage)


def test_a_shift_without_versions_is_refused() -> None:
    with pytest.raises(TemplateError, match="switch aliases on"):
        Target("prod", lambdas=True, canary=Canary())


def test_a_template_over_the_limits_is_refused_before_anything_is_built() -> None:
    many = {f"R{number}": {"Type": "AWS::SQS::Queue"} for number in range(501)}
    with pytest.raises(TemplateError, match="501 resources and CloudFormation takes 500"):
        check_limits("big", {"Resources": many})
    with pytest.raises(TemplateError, match="1000000; split"):
        check_limits("big", {"Resources": {"R": {"Type": "x" * 1_000_000}}})


def test_a_function_name_that_aws_would_refuse_is_refused(demo: Service) -> None:
    long = Service("a-service-with-quite-a-long-name-for-what-it-does", api=demo.api, table=demo.table)
    with pytest.raises(TemplateError, match=r"function name .* shorten"):
        service_template(long, Target("production", lambdas=True), "")


def test_two_paths_of_one_logical_id_are_refused(declared: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = APIRouter()
    twice.add_api_route("/v1/a-b", public)
    twice.add_api_route("/v1/a/b", public)
    monkeypatch.setattr(Service, "load_router", lambda _: twice)
    with pytest.raises(TemplateError, match="RouteGetV1AB is used twice"):
        service_template(declared, PROD)
