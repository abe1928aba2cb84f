"""Pure functions from declarations to CloudFormation templates. They read nothing and call nobody."""

from deploy.template.base import Target, Template, env_output, environment_variables_of, render
from deploy.template.service import service_template
from deploy.template.shared import platform_template

__all__ = [
    "Target",
    "Template",
    "env_output",
    "environment_variables_of",
    "platform_template",
    "render",
    "service_template",
]
