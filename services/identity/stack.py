"""Identity's own AWS resources: the user pool, its client, and the trigger that writes our claims into tokens."""

from chassis.auth.ssm_parameters import AUTH_PARAMETERS, AUTHORIZER_PARAMETER, CLIENT_PARAMETER, POOL_PARAMETER
from chassis.aws.captured_email import mailbox_statement
from chassis.declare.stack import FunctionSpec, StackContext, StackPart, Template
from contracts.common import SUPERADMIN
from services.identity.accounts.model import CODE_MESSAGE, CODE_SUBJECT, MIN_PASSWORD
from services.identity.adapters.cognito import ATTEMPT, INVITED
from services.identity.settings import signing_secret

POOL, CLIENT, TRIGGER, AUTHORIZER = "UserPool", "UserPoolClient", "AddClaims", "Authorizer"
ACCESS_HOURS, REFRESH_HOURS = 8, 24
COGNITO, MAIL = "cognito-idp", "sesv2"
VERIFICATION: Template = {
    "AutoVerifiedAttributes": ["email"],
    # Else a user could take an address that they never confirmed.
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
}
"""Left out where nobody could read the code: there an operator confirms those who sign up."""


def resources(context: StackContext) -> StackPart:
    """The user pool with all that belongs to it, or the development provider's part where there is no Cognito. The pool
    outlives the stack: its users and their passwords are nowhere else."""
    if COGNITO in context.without:
        return _development(context)
    pool_arn = {"Fn::GetAtt": [POOL, "Arn"]}
    return StackPart(
        resources={
            POOL: {
                "Type": "AWS::Cognito::UserPool",
                "DeletionPolicy": "RetainExceptOnCreate",
                "UpdateReplacePolicy": "Retain",
                "Properties": _pool(context),
            },
            "Staff": {
                "Type": "AWS::Cognito::UserPoolGroup",
                "Properties": {
                    "GroupName": SUPERADMIN,
                    "UserPoolId": {"Ref": POOL},
                    "Description": "The platform's staff: put nobody else in",
                },
            },
            CLIENT: {"Type": "AWS::Cognito::UserPoolClient", "Properties": _client(context)},
            "PoolParameter": _parameter(context, POOL_PARAMETER, POOL),
            "ClientParameter": _parameter(context, CLIENT_PARAMETER, CLIENT),
            **(_authorizer(context) if context.lambdas else {}),
        },
        functions={
            TRIGGER: FunctionSpec(
                "services.identity.triggers.usecases:add_claims",
                invoker="cognito-idp.amazonaws.com",
                invoker_arn=pool_arn,
            )
        },
        environment={"IDENTITY_USER_POOL_ID": {"Ref": POOL}, "IDENTITY_CLIENT_ID": {"Ref": CLIENT}},
        # The other calls are public ones, which the client id allows.
        statements=({"Effect": "Allow", "Action": ["cognito-idp:AdminGetUser"], "Resource": pool_arn},),
    )


def _development(context: StackContext) -> StackPart:
    """Settings and permissions of the development provider, which replaces the pool."""
    prefix, secret = "${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}", signing_secret(context.names)
    sign = {
        "Effect": "Allow",
        "Action": ["secretsmanager:CreateSecret", "secretsmanager:GetSecretValue"],
        "Resource": {"Fn::Sub": f"arn:{prefix}:secret:{secret}-*"},  # AWS adds six letters to a secret's name
    }
    return StackPart(
        environment={"TENFOLD_IDENTITY_PROVIDER": "development", "TENFOLD_MAILBOX": context.names.mailbox},
        statements=(sign, mailbox_statement(context.names)),
    )


def _pool(context: StackContext) -> Template:
    return {
        "UserPoolName": context.names.stack(context.service),
        # Only from this tier on can access tokens have claims of ours.
        "UserPoolTier": "ESSENTIALS",
        "DeletionProtection": "INACTIVE" if context.local else "ACTIVE",
        "UsernameAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
        **({} if MAIL in context.without else VERIFICATION),
        "Schema": [
            {"Name": "email", "AttributeDataType": "String", "Required": True, "Mutable": True},
            {"Name": "name", "AttributeDataType": "String", "Required": True, "Mutable": True},
            *(
                {"Name": own.removeprefix("custom:"), "AttributeDataType": "String", "Mutable": True}
                for own in (INVITED, ATTEMPT)
            ),
        ],
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": MIN_PASSWORD,
                "RequireLowercase": True,
                "RequireUppercase": True,
                "RequireNumbers": True,
                "RequireSymbols": False,
            }
        },
        "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
        "VerificationMessageTemplate": {
            "DefaultEmailOption": "CONFIRM_WITH_CODE",
            "EmailSubject": CODE_SUBJECT,
            "EmailMessage": CODE_MESSAGE,
        },
        "LambdaConfig": {
            "PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": {"Fn::GetAtt": [TRIGGER, "Arn"]}}
        },
    }


def _client(context: StackContext) -> Template:
    return {
        "ClientName": context.names.stack(context.service),
        "UserPoolId": {"Ref": POOL},
        "GenerateSecret": False,
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "AccessTokenValidity": ACCESS_HOURS,
        "IdTokenValidity": ACCESS_HOURS,
        "RefreshTokenValidity": REFRESH_HOURS,
        "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "hours"},
        "EnableTokenRevocation": True,
        "PreventUserExistenceErrors": "ENABLED",
        "ReadAttributes": ["email", "email_verified", "name"],
        "WriteAttributes": ["email", "name", INVITED, ATTEMPT],
    }


def _authorizer(context: StackContext) -> Template:
    """The JWT authorizer of the HTTP API, which refuses bad tokens before they cost a call. Other services' stacks find
    it by its parameter."""
    issuer = {"Fn::Sub": f"https://cognito-idp.${{AWS::Region}}.amazonaws.com/${{{POOL}}}"}
    return {
        AUTHORIZER: {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                "ApiId": {"Ref": "ApiId"},
                "Name": context.names.stack(context.service),
                "AuthorizerType": "JWT",
                "IdentitySource": ["$request.header.Authorization"],
                # Cognito's access tokens have no audience: API Gateway compares their client instead.
                "JwtConfiguration": {"Audience": [{"Ref": CLIENT}], "Issuer": issuer},
            },
        },
        "AuthorizerParameter": _parameter(context, AUTHORIZER_PARAMETER, AUTHORIZER),
    }


def _parameter(context: StackContext, name: str, of: str) -> Template:
    path = context.names.parameter(*AUTH_PARAMETERS, name)
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": path, "Value": {"Ref": of}}}
