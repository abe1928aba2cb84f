"""The Lambda runtime of a service: a function for its API, one per subscription, one for its schedules."""

from datetime import timedelta

from chassis.declare.service import Service
from chassis.declare.stack import StackPart
from chassis.declare.subscription import AnySubscription
from deploy.template.base import Target, Template, arn, logical, merge, ref
from deploy.template.functions import Function, callee_of, function
from deploy.template.policies import DATA_POLICY, RESOURCE_POLICY, cursor_key, queue_statements, token_issuer
from deploy.template.queues import DEAD_LETTER_SECONDS, function_seconds, queue_id, queue_resource, subscription_id
from deploy.template.routes import API_PARAMETERS, API_SECONDS, routes
from deploy.template.shifting import canary

API, SCHEDULES, SCHEDULE_DEAD_LETTERS, SCHEDULER_ROLE = "Api", "Schedules", "SchedulesDeadLetters", "SchedulerRole"
HANDLERS = {
    "api": "chassis.runtime.lambda_api.handler",
    "consumer": "chassis.runtime.lambda_consumer.handler",
    "schedule": "chassis.runtime.lambda_schedule.handler",
}
SWEEP = "sweep-outbox"
SCHEDULE_SECONDS = 55
"""Less than the shortest period of AWS, a minute."""
BATCH = 10
MAX_CONCURRENCY, LOCAL_CONCURRENCY = 10, 2
"""Concurrent functions per queue; two is the least that AWS takes, and enough for a laptop's cores."""


def api_function(part: StackPart, target: Target) -> Function:
    reads = [token_issuer(target.names), cursor_key(target.names)]
    return Function(API, HANDLERS["api"], API_SECONDS, part.environment, _policies(part), reads)


def consumer_function(path: str, subscription: AnySubscription, part: StackPart) -> Function:
    environment = {**part.environment, "TENFOLD_SUBSCRIPTION": path}
    return Function(
        f"{subscription_id(subscription)}Consumer",
        HANDLERS["consumer"],
        function_seconds(subscription),
        environment,
        _policies(part),
        queue_statements([subscription]),
    )


def schedules_of(service: Service) -> dict[str, timedelta]:
    """Its schedules by name, with the outbox's sweeper if it publishes at all."""
    own = {schedule.name: schedule.every for schedule in service.schedules}
    return own | ({SWEEP: timedelta(minutes=1)} if service.publishes else {})


def functions_of(service: Service, part: StackPart, target: Target) -> list[Function]:
    """Every function that the Lambda runtime adds to a stack."""
    consumers = [consumer_function(path, each, part) for path, each in _subscriptions(service)]
    scheduled = [Function(SCHEDULES, HANDLERS["schedule"], SCHEDULE_SECONDS, part.environment, _policies(part))]
    return [api_function(part, target), *consumers, *(scheduled if schedules_of(service) else [])]


def runtime(service: Service, part: StackPart, target: Target, code: str) -> Template:
    """All resources of the Lambda runtime. Raises TemplateError."""
    resources: Template = canary(target)
    for each in functions_of(service, part, target):
        merge(resources, function(service, each, target, code), f"function {each.logical_id}")
    merge(resources, routes(service, callee_of(api_function(part, target), target), part), "routes")
    for path, subscription in _subscriptions(service):
        consumer = consumer_function(path, subscription, part)
        mapping = {
            "Type": "AWS::Lambda::EventSourceMapping",
            # Lambda checks at once whether the role may read the queue.
            "DependsOn": [f"{consumer.logical_id}Role"],
            "Properties": {
                "EventSourceArn": arn(queue_id(subscription)),
                "FunctionName": callee_of(consumer, target),
                "BatchSize": BATCH,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": LOCAL_CONCURRENCY if target.local else MAX_CONCURRENCY},
            },
        }
        merge(resources, {f"{consumer.logical_id}Source": mapping}, f"subscription {subscription.name}")
    merge(resources, _schedules(service, target), "schedules")
    return resources


def runtime_parameters() -> Template:
    return dict(API_PARAMETERS)


def _subscriptions(service: Service) -> list[tuple[str, AnySubscription]]:
    return sorted(zip(service.subscriptions, service.load_subscriptions(), strict=True), key=lambda pair: pair[1].name)


def _policies(part: StackPart) -> tuple[str, ...]:
    return (DATA_POLICY, RESOURCE_POLICY) if part.statements else (DATA_POLICY,)


def _schedules(service: Service, target: Target) -> Template:
    schedules = schedules_of(service)
    if not schedules:
        return {}
    definition = Function(SCHEDULES, HANDLERS["schedule"], SCHEDULE_SECONDS)
    callee = callee_of(definition, target)
    allowed = [
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": callee},
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": arn(SCHEDULE_DEAD_LETTERS)},
    ]
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        # Otherwise another account's schedule could act in our name.
        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
    }
    resources: Template = {
        SCHEDULE_DEAD_LETTERS: queue_resource(
            target.names.dead_letters(service.name, "schedules"), DEAD_LETTER_SECONDS
        ),
        SCHEDULER_ROLE: {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "Policies": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed}}],
            },
        },
    }
    for name, every in schedules.items():
        resources[f"{logical(name)}Schedule"] = _schedule(service, name, every, callee, target)
    return resources


def _schedule(service: Service, name: str, every: timedelta, callee: Template, target: Target) -> Template:
    minutes = max(1, round(every.total_seconds() / 60))
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Name": f"{target.names.stack(service.name)}-{name}",
            "ScheduleExpression": f"rate({minutes} minute{'s' if minutes > 1 else ''})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": callee,
                "RoleArn": arn(SCHEDULER_ROLE),
                "Input": f'{{"schedule": "{name}"}}',
                # The next run does what a failed one could not.
                "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
                "DeadLetterConfig": {"Arn": arn(SCHEDULE_DEAD_LETTERS)},
            },
        },
    }
