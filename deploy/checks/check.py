"""Checks every template with cfn-lint, for AWS and for the embedded one."""

from deploy.aws import REGION
from deploy.services import ROOT
from deploy.stage.stage import synthesize
from deploy.template import Target, render
from deploy.template.base import Canary
from deploy.template.lint import lint

TARGETS = (
    Target("dev"),
    Target("local", local=True),
    Target("local", local=True, lambdas=True),
    Target("prod", lambdas=True, aliases=True, snapstart=True, canary=Canary()),
)
CACHE = ROOT / ".local/deploy/cfn-lint"


def check_templates() -> None:
    """Raises TemplateError with every finding."""
    for target in TARGETS:
        plan = synthesize(target)
        lint({name: render(template) for name, template in plan.templates.items()}, CACHE, region=REGION)
