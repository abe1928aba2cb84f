"""`python -m deploy.checks.check`: every template, for AWS and for the embedded one, as cfn-lint sees it."""

import sys

from deploy.checks.lint import lint
from deploy.services import ROOT
from deploy.stage.aws import REGION
from deploy.stage.errors import DeployError
from deploy.stage.stage import synthesize
from deploy.template import Target, render
from deploy.template.base import Canary

TARGETS = (
    Target("dev"),
    Target("local", local=True),
    Target("local", local=True, lambdas=True),
    Target("prod", lambdas=True, aliases=True, snapstart=True, canary=Canary()),
)
CACHE = ROOT / ".local/deploy/cfn-lint"


def main() -> int:
    try:
        for target in TARGETS:
            plan = synthesize(target)
            lint({name: render(template) for name, template in plan.templates.items()}, CACHE, region=REGION)
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
