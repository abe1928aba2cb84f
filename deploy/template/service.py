"""One service's stack, from its declaration and nothing else."""

from collections.abc import Sequence

from chassis.declare.service import Service
from chassis.declare.stack import StackContext, StackPart
from chassis.declare.subscription import AnySubscription
from deploy.errors import TemplateError
from deploy.template.alarms import dead_letters_alarm, function_alarms, queue_alarms
from deploy.template.base import FORMAT, Target, Template, env_output, merge, ref
from deploy.template.dashboard import dashboard
from deploy.template.functions import CODE_PARAMETERS, Function, trigger
from deploy.template.policies import DATA_POLICY, PROCESS_POLICY, policies
from deploy.template.queues import subscription
from deploy.template.quotas import check_limits
from deploy.template.routes import CONDITIONS
from deploy.template.runtime import SCHEDULE_DEAD_LETTERS, SCHEDULES, functions_of, runtime, runtime_parameters
from deploy.template.table import TABLE_PARAMETER, table, table_parameter


def stack_part(service: Service, target: Target) -> StackPart:
    """The resources of the service's own stack.py; an empty part if it has none."""
    resources = service.load_resources()
    if resources is None:
        return StackPart()
    context = StackContext(target.names, service.name, target.local, target.lambdas, target.without)
    return resources(context)


def service_template(service: Service, target: Target, code: str = "") -> Template:
    """The CloudFormation template of `service`.

    Its outputs carry the environment variables of the service's processes (`environment_variables_of` reads them). With
    functions it takes the parameters CodeBucket and CodeKey, and in the Lambda runtime ApiId and AuthorizerId. `code`
    is the package's key, which identifies new versions of functions (needed with aliases only). Raises TemplateError
    for a declaration that cannot work.
    """
    subscriptions = sorted(service.load_subscriptions(), key=lambda each: each.name)
    part = stack_part(service, target)
    resources = table(service, target)
    try:
        for each in subscriptions:
            merge(resources, subscription(service, each, target), f"subscription {each.name}")
        merge(resources, policies(service, subscriptions, part, target), "policies")
        for logical_id, spec in sorted(part.functions.items()):
            merge(resources, trigger(service, logical_id, spec, target), f"function {logical_id}")
        merge(resources, part.resources, "stack.py")
        if target.lambdas:
            merge(resources, runtime(service, part, target, code), "the Lambda runtime")
        if target.has_alarms:
            merge(resources, _alarms_and_dashboard(service, subscriptions, part, target), "alarms")
        template: Template = {
            "AWSTemplateFormatVersion": FORMAT,
            "Description": f"Tenfold: {service.name} ({target.stage})",
            "Resources": resources,
            "Outputs": _outputs(part, target),
            "Parameters": table_parameter(service, target),
        }
        if part.functions or target.lambdas:
            template["Parameters"] |= CODE_PARAMETERS | (runtime_parameters() if target.lambdas else {})
        if "HasAuthorizer" in str(resources):
            template["Conditions"] = CONDITIONS
        elif target.lambdas:
            del template["Parameters"]["AuthorizerId"]
        check_limits(service.name, template)
    except TemplateError as error:
        raise TemplateError(f"service {service.name}: {error}") from None
    return template


def _alarms_and_dashboard(
    service: Service, subscriptions: Sequence[AnySubscription], part: StackPart, target: Target
) -> Template:
    functions = [Function(name, spec.handler, spec.timeout) for name, spec in sorted(part.functions.items())]
    alarms: Template = {}
    for each in subscriptions:
        alarms |= queue_alarms(service, each, target)
    for function in functions:
        alarms |= function_alarms(service, function, Target(target.stage))
    runtime_functions = functions_of(service, part, target) if target.lambdas else []
    for function in runtime_functions:
        alarms |= function_alarms(service, function, target)
    if any(function.logical_id == SCHEDULES for function in runtime_functions):
        alarms |= dead_letters_alarm(service, SCHEDULE_DEAD_LETTERS, target)
    return alarms | dashboard(service, [*runtime_functions, *functions], subscriptions, target)


def _outputs(part: StackPart, target: Target) -> Template:
    variables = {**part.environment, **dict(target.settings)}
    outputs: Template = {env_output(name): {"Value": value} for name, value in variables.items()}
    outputs[TABLE_PARAMETER] = {"Value": ref(TABLE_PARAMETER)}
    outputs[env_output("TENFOLD_TABLE")] = {"Value": ref(TABLE_PARAMETER)}
    outputs["DataPolicyArn"] = {"Value": ref(DATA_POLICY)}
    if not target.lambdas:
        outputs["ProcessPolicyArn"] = {"Value": ref(PROCESS_POLICY)}
    return outputs
