"""The bucket that holds every organization's files, and what the service may do with it."""

from typing import Any

from chassis.declare.stack import StackContext, StackPart

BUCKET = "Bucket"
CORS_SECONDS = 3600
NONCURRENT_DAYS = 30
"""Longer than the event of an upload can wait (4 days in its queue, 14 as a dead letter): an object that was
put over a confirmed original hides it for that long, and the original must outlive it."""

CORS_RULE = {
    # Any page may try: the signature in the form or the address decides, not the page's origin.
    "AllowedOrigins": ["*"],
    "AllowedMethods": ["GET", "POST"],
    "AllowedHeaders": ["*"],
    "MaxAge": CORS_SECONDS,
}
ABORT_MULTIPARTS = {
    "Id": "abort-multiparts",
    "Status": "Enabled",
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}
FORGET_NONCURRENT = {
    "Id": "forget-noncurrent",
    "Status": "Enabled",
    "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
}


def resources(context: StackContext) -> StackPart:
    made: dict[str, Any] = {BUCKET: _bucket()}
    if not context.local:  # the embedded AWS speaks plain HTTP
        made["BucketPolicy"] = _tls_only()
    return StackPart(
        resources=made,
        environment={"FILES_BUCKET": {"Ref": BUCKET}},
        statements=(
            {
                "Effect": "Allow",
                "Action": [
                    # Never the object itself, which would only hide it: always the one version that was refused.
                    "s3:DeleteObjectVersion",
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:PutObject",
                ],
                "Resource": {"Fn::Sub": f"${{{BUCKET}.Arn}}/*"},
            },
            {
                # Without it a missing object answers 403, which can't be told from a missing permission.
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
                "Resource": {"Fn::GetAtt": [BUCKET, "Arn"]},
            },
        ),
    )


def _bucket() -> dict[str, Any]:
    # Its name is CloudFormation's, for a stack that is made again must not meet the bucket that it retained.
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            # An upload form can be used again until it expires: versions let the service keep to the object that it
            # looked at, whatever is put over it.
            "VersioningConfiguration": {"Status": "Enabled"},
            "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            "CorsConfiguration": {"CorsRules": [CORS_RULE]},
            "LifecycleConfiguration": {"Rules": [ABORT_MULTIPARTS, FORGET_NONCURRENT]},
        },
    }


def _tls_only() -> dict[str, Any]:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{"Fn::GetAtt": [BUCKET, "Arn"]}, {"Fn::Sub": f"${{{BUCKET}.Arn}}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": BUCKET},
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }
