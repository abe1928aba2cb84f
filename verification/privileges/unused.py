"""Reasons for grants that a day does not use. They are only here; a reason without a grant fails the report."""

from dataclasses import dataclass

from verification.privileges.policy import Grant, like


@dataclass(frozen=True)
class Reason:
    """Reason for one action on resources that match a pattern."""

    action: str
    resource: str
    why: str

    def explains(self, grant: Grant) -> bool:
        return grant.action == self.action and like(self.resource).fullmatch(grant.resource) is not None


PORT = "an operation of the Table port: a service that starts to use it needs no new policy for its own table"
REFUSAL = "a service without other events publishes refusals (docs/adr/0011), and nobody is refused on such a day"
REASONS = (
    Reason("dynamodb:BatchWriteItem", "*", f"empties the outbox: {REFUSAL}"),
    Reason("events:PutEvents", "*", REFUSAL),
    Reason("secretsmanager:GetSecretValue", "*-cursors-??????", "read for the first list with a second page"),
    Reason("dynamodb:ConditionCheckItem", "*", PORT),
    Reason("dynamodb:DeleteItem", "*", PORT),
    Reason("dynamodb:UpdateItem", "*", PORT),
    Reason("sqs:ChangeMessageVisibility", "*", "used only for a delivery that is retried later"),
    Reason("s3:ListBucket", "*", "never called: without it S3 answers 403, not 404, for a missing object"),
    Reason("s3:ListBucketVersions", "*", "never called: the same for a missing version"),
    Reason(
        "ses:SendEmail",
        "*:configuration-set/*",
        "checked by SES, since e-mails of the identity use this configuration set",
    ),
)
