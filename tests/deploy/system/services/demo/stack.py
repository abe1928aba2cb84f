from chassis.declare.stack import FunctionSpec, StackContext, StackPart

CLIENT = {
    "Type": "AWS::Cognito::UserPoolClient",
    "Properties": {
        "UserPoolId": {"Ref": "Pool"},
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    },
}
SENDER = {"Type": "AWS::SES::EmailIdentity", "Properties": {"EmailIdentity": "demo.example"}}
ENVIRONMENT = {
    "UPLOADS_BUCKET": {"Ref": "Uploads"}, "USER_POOL_ID": {"Ref": "Pool"}, "USER_POOL_CLIENT_ID": {"Ref": "PoolClient"},
}  # fmt: skip
STATEMENTS = (
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": {"Fn::Sub": "${Uploads.Arn}/*"}},
    {"Effect": "Allow", "Action": ["cognito-idp:AdminGetUser"], "Resource": {"Fn::GetAtt": ["Pool", "Arn"]}},
)


def resources(context: StackContext) -> StackPart:
    bucket = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": {"Fn::Sub": f"{context.names.stack(context.service)}-uploads-${{AWS::AccountId}}"},
            "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        },
    }
    pool = {
        "Type": "AWS::Cognito::UserPool",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "UserPoolName": context.names.stack(context.service),
            "LambdaConfig": {
                "PreTokenGenerationConfig": {
                    "LambdaVersion": "V2_0",
                    "LambdaArn": {"Fn::GetAtt": ["PreToken", "Arn"]},
                }
            },
        },
    }
    return StackPart(
        resources={"Uploads": bucket, "Pool": pool, "PoolClient": CLIENT, "Sender": SENDER},
        functions={
            "PreToken": FunctionSpec(
                "services.demo.triggers:pre_token",
                environment={"TABLE_NAME": {"Ref": "Table"}},
                invoker="cognito-idp.amazonaws.com",
                invoker_arn={"Fn::GetAtt": ["Pool", "Arn"]},
            )
        },
        environment=ENVIRONMENT,
        statements=STATEMENTS,
    )
