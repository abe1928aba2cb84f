"""The Lambdas that AWS calls itself (triggers), each with its role and its log group."""

from chassis.service import Service
from chassis.stack import FunctionSpec
from deploy.errors import TemplateError
from deploy.template.base import Target, Template, arn, ref
from deploy.template.permissions import DATA_POLICY

CODE_PARAMETERS: Template = {
    "CodeBucket": {"Type": "String", "Description": "Where the package lies"},
    "CodeKey": {"Type": "String", "Description": "Its key, which carries its hash"},
}
LOG_DAYS = 30


def function(service: Service, logical_id: str, spec: FunctionSpec, target: Target) -> Template:
    """The function, its role, its log group, and the permission of who calls it.

    Raises TemplateError for a handler that is no import string.
    """
    name = f"{target.names.stack(service.name)}-{logical_id}"
    resources: Template = {
        f"{logical_id}Logs": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": LOG_DAYS},
        },
        f"{logical_id}Role": _role(logical_id),
        logical_id: {
            "Type": "AWS::Lambda::Function",
            "DependsOn": [f"{logical_id}Logs"],
            "Properties": {
                "FunctionName": name,
                "Runtime": target.runtime,
                "Architectures": [target.architecture],
                "Handler": lambda_handler(spec.handler),
                "Code": {"S3Bucket": ref("CodeBucket"), "S3Key": ref("CodeKey")},
                "Role": arn(f"{logical_id}Role"),
                "Timeout": spec.timeout,
                "MemorySize": 512,
                "Environment": {
                    "Variables": {"TENFOLD_STAGE": target.stage, "TENFOLD_SERVICE": service.name, **spec.environment}
                },
            },
        },
    }
    if spec.invoker:
        resources[f"{logical_id}Invoke"] = _permission(logical_id, spec)
    return resources


def lambda_handler(path: str) -> str:
    """`services.identity.triggers:pre_token` in Lambda's spelling, `services.identity.triggers.pre_token`."""
    module, colon, name = path.partition(":")
    if not (module and colon and name.isidentifier()):
        raise TemplateError(f"handler {path!r} must be written package.module:function")
    return f"{module}.{name}"


def _role(logical_id: str) -> Template:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    log = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": arn(f"{logical_id}Logs"),
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "ManagedPolicyArns": [ref(DATA_POLICY)],
            "Policies": [{"PolicyName": "logs", "PolicyDocument": {"Version": "2012-10-17", "Statement": [log]}}],
        },
    }


def _permission(logical_id: str, spec: FunctionSpec) -> Template:
    properties: Template = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": arn(logical_id),
        "Principal": spec.invoker,
    }
    if spec.invoker_arn is not None:
        properties["SourceArn"] = spec.invoker_arn
    return {"Type": "AWS::Lambda::Permission", "Properties": properties}
