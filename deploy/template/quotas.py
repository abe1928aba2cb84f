"""CloudFormation's quotas, checked before anything is built or uploaded."""

from deploy.errors import TemplateError
from deploy.template.base import Template, render

MAX_RESOURCES, MAX_OUTPUTS, MAX_PARAMETERS, MAX_BYTES = 500, 200, 200, 1_000_000


def check_limits(name: str, template: Template) -> None:
    """Raises TemplateError with the quota that the template exceeds."""
    for part, most in (("Resources", MAX_RESOURCES), ("Outputs", MAX_OUTPUTS), ("Parameters", MAX_PARAMETERS)):
        count = len(template.get(part, {}))
        if count > most:
            raise TemplateError(
                f"the template of {name} has {count} {part.lower()} and CloudFormation takes {most}; split the service"
            )
    size = len(render(template).encode())
    if size > MAX_BYTES:
        raise TemplateError(
            f"the template of {name} has {size} bytes and CloudFormation takes {MAX_BYTES}; split the service"
        )
