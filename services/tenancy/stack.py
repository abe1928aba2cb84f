"""The master key of the organizations' credentials."""

from chassis.aws.kms import vault_part
from chassis.declare.stack import StackContext, StackPart


def resources(context: StackContext) -> StackPart:
    return vault_part(context.service)
