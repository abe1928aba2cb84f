"""One service's stack, from its declaration and nothing else."""

from chassis.service import Service
from chassis.stack import StackContext, StackPart
from deploy.errors import TemplateError
from deploy.template.base import FORMAT, Target, Template, env_output, merge, ref
from deploy.template.functions import CODE_PARAMETERS, function
from deploy.template.permissions import DATA_POLICY, PROCESS_POLICY, policies
from deploy.template.queues import subscription
from deploy.template.table import TABLE, table


def stack_part(service: Service, target: Target) -> StackPart:
    """What the service's own stack.py asks for; an empty part if it has none."""
    resources = service.load_resources()
    if resources is None:
        return StackPart()
    return resources(StackContext(names=target.names, service=service.name, local=target.local))


def service_template(service: Service, target: Target) -> Template:
    """The CloudFormation template of `service`.

    Its outputs carry the environment variables of the service's processes (`environment_of` reads them back). With
    functions it takes the parameters CodeBucket and CodeKey. Raises TemplateError for a declaration that cannot work.
    """
    subscriptions = sorted(service.load_subscriptions(), key=lambda one: one.name)
    part = stack_part(service, target)
    resources = table(service, target.names)
    try:
        for one in subscriptions:
            merge(resources, subscription(service, one, target.names), f"subscription {one.name}")
        merge(resources, policies(service, subscriptions, part, target.names), "policies")
        for logical_id, spec in sorted(part.functions.items()):
            merge(resources, function(service, logical_id, spec, target), f"function {logical_id}")
        merge(resources, part.resources, "stack.py")
    except TemplateError as error:
        raise TemplateError(f"service {service.name}: {error}") from None
    template: Template = {
        "AWSTemplateFormatVersion": FORMAT,
        "Description": f"Tenfold: {service.name} ({target.stage})",
        "Resources": resources,
        "Outputs": _outputs(part),
    }
    if part.functions:
        template["Parameters"] = CODE_PARAMETERS
    return template


def _outputs(part: StackPart) -> Template:
    outputs: Template = {env_output(name): {"Value": value} for name, value in part.environment.items()}
    outputs["TableName"] = {"Value": ref(TABLE)}
    outputs["DataPolicyArn"] = {"Value": ref(DATA_POLICY)}
    outputs["ProcessPolicyArn"] = {"Value": ref(PROCESS_POLICY)}
    return outputs
