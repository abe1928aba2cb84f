"""Deletes a whole stage with all its data, even if it was created in part only: for stages of tests."""

from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from chassis.declare.resource_names import PRODUCTION
from deploy.errors import DeployError, RefusedError
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.erasing import RetainedStore, erase, retained_by
from deploy.stage.stage import in_order, synthesize
from deploy.template.shared import STACK
from services.identity.settings import signing_secret


def remove_stage(environment: DeploymentEnvironment) -> list[str]:
    """Delete the stage's stacks, then the stores that they retain. Goes on after failures, and returns them, one line
    each.

    Raises RefusedError for prod, StackError if the stacks cannot be read."""
    names, stacks = environment.target.names, environment.stacks
    if names.stage == PRODUCTION:
        raise RefusedError(f"the stage {PRODUCTION} is not one to be thrown away")
    owners, others = in_order(synthesize(environment.target))
    existing = stacks.names(f"{names.prefix}-")
    to_delete = [stack for stack in map(names.stack, (*others, *owners, STACK)) if stack in existing]
    stores = [store for stack in to_delete for store in retained_by(stacks, stack)]
    if environment.target.local:  # made beside the stacks, by fill_gaps and by identity without Cognito
        stores.append(RetainedStore("AWS::Events::Archive", names.archive))
        stores.append(RetainedStore("AWS::SecretsManager::Secret", signing_secret(names)))
    failures = []
    steps = [partial(stacks.delete, stack) for stack in to_delete]
    for step in (*steps, *(partial(erase, environment.aws, store) for store in stores)):
        try:
            step()
        except (ClientError, BotoCoreError, DeployError) as error:
            failures.append(str(error))
    return failures
