"""Errors for an operator. Every message is one line that says what to do."""


class DeployError(Exception):
    """A command cannot go on. The message is for a person, and enough for them to act."""


class EmulatorError(DeployError):
    """The embedded AWS cannot start, or died."""


class TemplateError(DeployError):
    """A declaration cannot become a template, or cfn-lint refused the template."""


class StackError(DeployError):
    """CloudFormation refused a change, or undid it."""


class PackagingError(DeployError):
    """A function's zip cannot be built."""


class LocalError(DeployError):
    """The laptop's system cannot start, stop or be reached."""


class RefusedError(DeployError):
    """The command refuses its input, the present state, or to go on without a confirmation. Nothing was changed."""


class UnhealthyError(DeployError):
    """The deployed version does not work."""
