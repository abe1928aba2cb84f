"""The platform stack: what all services of a stage share."""

from deploy.template.base import FORMAT, Target, Template, ref, sub

STACK = "platform"


def platform_template(target: Target) -> Template:
    """The event bus, the topic of alarms, the bucket of packages.

    The services' stacks learn of them by name or from SSM parameters, not from exports: an export could not be
    changed any more while anybody imports it.
    """
    names = target.names
    return {
        "AWSTemplateFormatVersion": FORMAT,
        "Description": f"Tenfold: what the services of {target.stage} share",
        "Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": names.bus}},
            "Alarms": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"{names.prefix}-alarms"}},
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
