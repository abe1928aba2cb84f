"""Permissions of a service's code: its own table, its own queues, its own events. Nothing of other services."""

from collections.abc import Sequence

from chassis.declare.resource_names import Names
from chassis.declare.service import Service
from chassis.declare.stack import StackPart
from chassis.declare.subscription import AnySubscription
from contracts.event import SOURCE_PREFIX
from deploy.template.base import Target, Template, arn, bus_arn, sub
from deploy.template.queues import dead_letters_id, queue_id
from deploy.template.table import used_table

DATA_POLICY = "DataPolicy"
PROCESS_POLICY = "ProcessPolicy"
RESOURCE_POLICY = "ResourcePolicy"


def policies(service: Service, subscriptions: Sequence[AnySubscription], part: StackPart, target: Target) -> Template:
    """The managed policies of the service. DataPolicy (table and events) is for everything that runs its code. A
    process also has ProcessPolicy: the queues and the service's own resources. Functions also have ResourcePolicy,
    with these resources only, and each the one queue that it reads. Triggers lack it, because a resource that calls a
    function (a user pool) would depend on a policy that names that resource."""
    managed = {DATA_POLICY: _managed_policy(f"{service.name}: its table and its events", _data(service, target.names))}
    if not target.lambdas:
        queues = queue_statements(subscriptions) if subscriptions else []
        statements = [*queues, token_issuer(target.names), cursor_key(target.names), *part.statements]
        managed[PROCESS_POLICY] = _managed_policy(f"{service.name}: its queues and its other resources", statements)
    elif part.statements:
        managed[RESOURCE_POLICY] = _managed_policy(f"{service.name}: its other resources", list(part.statements))
    return managed


def _managed_policy(description: str, statements: list[Template]) -> Template:
    document = {"Version": "2012-10-17", "Statement": statements}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"Description": description, "PolicyDocument": document}}


def _data(service: Service, names: Names) -> list[Template]:
    # The Table port empties in batches only the outbox, and only publishers have one.
    calls = ["BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]
    actions = [f"dynamodb:{call}" for call in [*(["BatchWriteItem"] if service.publishes else []), *calls]]
    statements: list[Template] = [{"Effect": "Allow", "Action": actions, "Resource": used_table()}]
    if service.table.indexes:
        statements.append({"Effect": "Allow", "Action": ["dynamodb:Query"], "Resource": used_table("/index/*")})
    if service.publishes:
        statements.append(
            {
                "Effect": "Allow",
                "Action": ["events:PutEvents"],
                "Resource": bus_arn(names),
                # No service can publish in the name of another.
                "Condition": {"StringEquals": {"events:source": SOURCE_PREFIX + service.name}},
            }
        )
        # Its health check asks whether it can publish.
        statements.append({"Effect": "Allow", "Action": ["events:DescribeEventBus"], "Resource": bus_arn(names)})
    return statements


def token_issuer(names: Names) -> Template:
    """Reading the parameters of the token issuer: every process verifies tokens."""
    path = names.parameter("auth", "*")
    return {
        "Effect": "Allow",
        "Action": ["ssm:GetParameters"],
        "Resource": sub(f"arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter{path}"),
    }


def cursor_key(names: Names) -> Template:
    """Reading the key that signs the cursors of lists."""
    # Secrets Manager ends each secret's ARN with six characters of its own.
    secret = f"secret:{names.cursor_secret}-??????"
    return {
        "Effect": "Allow",
        "Action": ["secretsmanager:GetSecretValue"],
        "Resource": sub(f"arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:{secret}"),
    }


def queue_statements(subscriptions: Sequence[AnySubscription]) -> list[Template]:
    """Reading the queues of `subscriptions`, and sending refused messages to their dead-letter queues."""
    receive = [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
    ]
    return [
        {"Effect": "Allow", "Action": receive, "Resource": [arn(queue_id(each)) for each in subscriptions]},
        {
            "Effect": "Allow",
            "Action": ["sqs:GetQueueUrl", "sqs:SendMessage"],
            "Resource": [arn(dead_letters_id(each)) for each in subscriptions],
        },
    ]
