"""The platform stack: the resources that all services of a stage share."""

import json

from chassis.aws.captured_email import KEPT_SECONDS
from deploy.template.alarms import topic_name
from deploy.template.base import FORMAT, Target, Template, arn, ref, sub
from deploy.template.functions import LOG_DAYS
from deploy.template.history import history
from deploy.template.queues import queue_resource

STACK = "platform"
ACCESS_LOG = {
    name: f"$context.{name}"
    for name in ("requestId", "routeKey", "status", "responseLatency", "integrationErrorMessage", "identity.sourceIp")
}


def platform_template(target: Target) -> Template:
    """The event bus with its history, the topic of alarms, the bucket of packages.

    The services' stacks find them by name or through SSM parameters, not through exports: an export cannot be changed
    while a stack imports it.
    """
    names = target.names
    template: Template = {
        "AWSTemplateFormatVersion": FORMAT,
        "Description": f"Tenfold: what the services of {target.stage} share",
        "Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": names.bus}},
            # Changing it is a rotation: processes accept the previous version, too.
            "CursorKey": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {
                    "Name": names.cursor_secret,
                    "Description": "Signs the cursors of lists",
                    "GenerateSecretString": {"PasswordLength": 64, "ExcludePunctuation": True},
                },
            },
            "Alarms": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": topic_name(target)}},
            "Artifacts": _artifacts(f"{names.prefix}-artifacts-${{AWS::AccountId}}"),
            "BusParameter": _parameter(names.parameter("platform", "bus-name"), ref("Bus")),
            "AlarmsParameter": _parameter(names.parameter("platform", "alarm-topic-arn"), ref("Alarms")),
        },
        "Outputs": {
            "BusName": {"Value": ref("Bus")},
            "AlarmTopicArn": {"Value": ref("Alarms")},
            "ArtifactBucket": {"Value": ref("Artifacts")},
        },
    }
    template["Resources"] |= history(target)
    if target.lambdas:
        template["Resources"] |= _api(target)
        template["Outputs"]["ApiId"] = {"Value": ref("Api")}
    if target.without:
        template["Resources"]["Mailbox"] = queue_resource(names.mailbox, KEPT_SECONDS)
    return template


def _api(target: Target) -> Template:
    """The one HTTP API of the stage; the services' stacks add their routes to it."""
    names = target.names
    stage = {"ApiId": ref("Api"), "StageName": "$default", "AutoDeploy": True}
    resources: Template = {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": names.prefix, "ProtocolType": "HTTP"}},
        "ApiStage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": stage},
        "ApiParameter": _parameter(names.parameter("platform", "api-id"), ref("Api")),
    }
    if not target.local:
        resources["ApiLogs"] = {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {"LogGroupName": f"/aws/apigateway/{names.prefix}", "RetentionInDays": LOG_DAYS},
        }
        stage["AccessLogSettings"] = {"DestinationArn": arn("ApiLogs"), "Format": json.dumps(ACCESS_LOG)}
        # One client in a loop must not use up what the whole account may call.
        stage["DefaultRouteSettings"] = {"ThrottlingBurstLimit": 1000, "ThrottlingRateLimit": 500}
    return resources


def _parameter(name: str, value: Template) -> Template:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": name, "Value": value}}


def _artifacts(name: str) -> Template:
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": sub(name),
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        },
    }
