"""Why a permission is granted that a day does not use. Here and nowhere else; a reason for nothing fails the report."""

from dataclasses import dataclass

from verification.privileges.policy import Grant, like


@dataclass(frozen=True)
class Reason:
    """For one action, on resources like the pattern."""

    action: str
    resource: str
    why: str

    def explains(self, grant: Grant) -> bool:
        return grant.action == self.action and like(self.resource).fullmatch(grant.resource) is not None


PORT = "an operation of the Table port; a service that begins to use it needs no other policy for its own table"
REFUSAL = "who publishes nothing else publishes whom it refused (docs/adr/0011); nobody is refused on such a day"
REASONS = (
    Reason("dynamodb:BatchWriteItem", "*", f"empties the outbox: {REFUSAL}"),
    Reason("events:PutEvents", "*", REFUSAL),
    Reason("secretsmanager:GetSecretValue", "*-cursors-??????", "read with the first list that has a second page"),
    Reason("dynamodb:ConditionCheckItem", "*", PORT),
    Reason("dynamodb:DeleteItem", "*", PORT),
    Reason("dynamodb:UpdateItem", "*", PORT),
    Reason("sqs:ChangeMessageVisibility", "*", "only a delivery that is to be tried again later is given back"),
    Reason("s3:ListBucket", "*", "never called: without it S3 answers 403, not 404, for an object that is not there"),
    Reason("s3:ListBucketVersions", "*", "never called: the same for a version that is not there"),
    Reason("ses:SendEmail", "*:configuration-set/*", "asked by SES, for the identity's mails go by these rules"),
)
