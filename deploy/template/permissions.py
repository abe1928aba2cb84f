"""What a service's code may do: its own table, its own queues, its own events. Nothing of anybody else's."""

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
    process adds ProcessPolicy: the queues and the service's own resources. Functions add ResourcePolicy, with these
    resources only, and each the one queue that it reads. Triggers do without it, because a resource that calls a
    function (a user pool) would depend on a policy that names that resource."""
    made = {DATA_POLICY: _managed(f"{service.name}: its table and its events", _data(service, target.names))}
    if not target.lambdas:
        statements = [*_queues(subscriptions), token_issuer(target.names), cursor_key(target.names), *part.statements]
        made[PROCESS_POLICY] = _managed(f"{service.name}: its queues and its other resources", statements)
    elif part.statements:
        made[RESOURCE_POLICY] = _managed(f"{service.name}: its other resources", list(part.statements))
    return made


def _managed(description: str, statements: list[Template]) -> Template:
    document = {"Version": "2012-10-17", "Statement": statements}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"Description": description, "PolicyDocument": document}}


def _data(service: Service, names: Names) -> list[Template]:
    statements: list[Template] = [{"Effect": "Allow", "Action": _table_actions(service), "Resource": used_table()}]
    if service.table.indexes:
        statements.append({"Effect": "Allow", "Action": ["dynamodb:Query"], "Resource": used_table("/index/*")})
    if service.publishes:
        statements.append(
            {
                "Effect": "Allow",
                "Action": ["events:PutEvents"],
                "Resource": bus_arn(names),
                # No service can publish in another's name.
                "Condition": {"StringEquals": {"events:source": SOURCE_PREFIX + service.name}},
            }
        )
        # To know whether it could publish.
        statements.append({"Effect": "Allow", "Action": ["events:DescribeEventBus"], "Resource": bus_arn(names)})
    return statements


def _table_actions(service: Service) -> list[str]:
    """What the Table port does: the outbox, which only publishers have, is what is emptied in batches."""
    actions = ["BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]
    return [f"dynamodb:{action}" for action in [*(["BatchWriteItem"] if service.publishes else []), *actions]]


def token_issuer(names: Names) -> Template:
    """Every process verifies tokens, and learns from these parameters whose."""
    path = names.parameter("auth", "*")
    return {
        "Effect": "Allow",
        "Action": ["ssm:GetParameters"],
        "Resource": sub(f"arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter{path}"),
    }


def cursor_key(names: Names) -> Template:
    """Who answers with lists signs where they go on."""
    # Secrets Manager ends each secret's ARN with six characters of its own.
    secret = f"secret:{names.cursor_secret}-??????"
    return {
        "Effect": "Allow",
        "Action": ["secretsmanager:GetSecretValue"],
        "Resource": sub(f"arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:{secret}"),
    }


def _queues(subscriptions: Sequence[AnySubscription]) -> list[Template]:
    return queue_statements(subscriptions) if subscriptions else []


def queue_statements(subscriptions: Sequence[AnySubscription]) -> list[Template]:
    """To read the queues of `subscriptions` and to put what they refuse into their dead-letter queues."""
    receive = [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
    ]
    return [
        {"Effect": "Allow", "Action": receive, "Resource": [arn(queue_id(one)) for one in subscriptions]},
        {
            "Effect": "Allow",
            "Action": ["sqs:GetQueueUrl", "sqs:SendMessage"],
            "Resource": [arn(dead_letters_id(one)) for one in subscriptions],
        },
    ]
