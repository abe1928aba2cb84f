"""Traffic shifting between versions of a function: all callers at once, or a part of them first (CodeDeploy)."""

from deploy.template.base import Target, Template, arn, ref

ALIAS = "live"
APPLICATION, CONFIGURATION, DEPLOYER = "Shifting", "ShiftingPace", "ShiftingRole"


def shifting(function: str, version: str, target: Target) -> Template:
    """The version, the alias that callers use, and with a canary the deployment group that moves it."""
    resources: Template = {
        version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": ref(function)}},
        f"{function}Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": ref(function),
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                "Name": ALIAS,
            },
        },
    }
    if target.canary:
        resources[f"{function}Shift"] = {
            "Type": "AWS::CodeDeploy::DeploymentGroup",
            "Properties": {
                "ApplicationName": ref(APPLICATION),
                "DeploymentConfigName": ref(CONFIGURATION),
                "ServiceRoleArn": arn(DEPLOYER),
                "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
                "AutoRollbackConfiguration": {
                    "Enabled": True,
                    "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
                },
                "AlarmConfiguration": {"Enabled": True, "Alarms": [{"Name": ref(errors_of_version(function))}]},
            },
        }
        resources[f"{function}Alias"]["UpdatePolicy"] = {
            "CodeDeployLambdaAliasUpdate": {
                "ApplicationName": ref(APPLICATION),
                "DeploymentGroupName": ref(f"{function}Shift"),
            }
        }
    return resources


def canary(target: Target) -> Template:
    """The resources that a stack's deployment groups share; none without a canary."""
    if target.canary is None:
        return {}
    trust = {"Effect": "Allow", "Principal": {"Service": "codedeploy.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        APPLICATION: {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}},
        CONFIGURATION: {
            "Type": "AWS::CodeDeploy::DeploymentConfig",
            "Properties": {
                "ComputePlatform": "Lambda",
                "TrafficRoutingConfig": {
                    "Type": "TimeBasedCanary",
                    "TimeBasedCanary": {
                        "CanaryPercentage": target.canary.percent,
                        "CanaryInterval": target.canary.minutes,
                    },
                },
            },
        },
        DEPLOYER: {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "ManagedPolicyArns": [
                    {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"}
                ],
            },
        },
    }


def errors_of_version(function: str) -> str:
    """The logical id of the alarm that stops a shift: errors of the versions that the alias points to."""
    return f"{function}ShiftErrors"
