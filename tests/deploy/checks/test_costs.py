"""The costs of a stage follow from its templates: more resources, more dollars."""

from dataclasses import replace

import pytest

from deploy.checks.costs import at_rest, deliveries, for_a_million, plan, quotas, render_block
from deploy.checks.prices import PRICES
from deploy.stage.stage import DeploymentPlan


@pytest.fixture(scope="module")
def stage() -> DeploymentPlan:
    return plan()


def dollars(stage: DeploymentPlan) -> float:
    return sum(one.usd for one in at_rest(stage))


def test_each_alarm_costs_its_price(stage: DeploymentPlan) -> None:
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {}}
    platform = stage.templates["platform"]
    more = {**platform, "Resources": {**platform["Resources"], "One": alarm, "Two": alarm}}
    larger = replace(stage, templates={**stage.templates, "platform": more})
    assert dollars(larger) - dollars(stage) == pytest.approx(2 * PRICES["alarm"].usd)


def test_a_queue_costs_its_polls_before_any_message(stage: DeploymentPlan) -> None:
    """Five long polls of twenty seconds: 657 thousand requests in a month of 30.4 days."""
    mapping = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {}}
    platform = stage.templates["platform"]
    more = {**platform, "Resources": {**platform["Resources"], "Source": mapping}}
    larger = replace(stage, templates={**stage.templates, "platform": more})
    assert dollars(larger) - dollars(stage) == pytest.approx(0.6566 * 0.40, rel=1e-3)


def test_an_event_goes_to_those_who_subscribe_and_to_audit(stage: DeploymentPlan) -> None:
    with_audit = deliveries(stage)
    without = replace(stage, templates={name: one for name, one in stage.templates.items() if name != "audit"})
    assert 1 < with_audit < 17
    assert deliveries(without) < with_audit
    assert sum(one.usd for one in for_a_million(without)) < sum(one.usd for one in for_a_million(stage))


def test_quotas_come_from_the_templates(stage: DeploymentPlan) -> None:
    tables = {what: own for what, own, _ in quotas(stage)}["DynamoDB: tables"]
    assert tables == str(len(stage.services))


def test_the_page_names_the_age_of_its_prices() -> None:
    assert "remembered from" in render_block()
    assert "pricing" in render_block()
