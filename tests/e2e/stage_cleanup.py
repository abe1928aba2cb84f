"""Takes a whole stage away with all that it holds, however far it came: for stages that only a test made."""

from collections.abc import Callable
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from chassis.declare.resource_names import PRODUCTION
from deploy.stage.environment import DeploymentEnvironment
from deploy.stage.erasing import RetainedStore, erase, retained_by
from deploy.stage.errors import DeployError, RefusedError
from deploy.stage.stage import in_order, synthesize
from deploy.template.shared import STACK
from services.identity.stack import signing_secret


def remove_stage(place: DeploymentEnvironment) -> list[str]:
    """Delete the stage's stacks, then what they keep. Goes on after what fails, and returns it, one line each.

    Raises RefusedError for prod, StackError if the stacks cannot be read."""
    names, stacks = place.target.names, place.stacks
    if names.stage == PRODUCTION:
        raise RefusedError(f"the stage {PRODUCTION} is not one to be thrown away")
    owners, others = in_order(synthesize(place.target))
    existing = stacks.names(f"{names.prefix}-")
    there = [stack for stack in map(names.stack, (*others, *owners, STACK)) if stack in existing]
    kept = [one for stack in there for one in retained_by(stacks, stack)]
    if place.target.local:  # made beside the stacks, by the gap filler
        kept.append(RetainedStore("AWS::Events::Archive", names.archive))
        kept.append(RetainedStore("AWS::SecretsManager::Secret", signing_secret(names)))  # by a place without Cognito
    failed = [text for stack in there for text in _tried(partial(stacks.delete, stack))]
    return failed + [text for one in kept for text in _tried(partial(erase, place.aws, one))]


def _tried(act: Callable[[], None]) -> list[str]:
    try:
        act()
    except (ClientError, BotoCoreError, DeployError) as error:
        return [str(error)]
    return []
