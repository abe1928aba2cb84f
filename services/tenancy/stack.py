"""The master key of the organizations' credentials."""

from chassis.kms import vault_part
from chassis.stack import StackContext, StackPart


def resources(context: StackContext) -> StackPart:
    return vault_part(context.service)
