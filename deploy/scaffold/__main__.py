"""`python -m deploy.scaffold NAME`: the start of a service, with the one anatomy."""

import sys

from deploy.scaffold.writing import create
from deploy.services import ROOT
from deploy.stage.errors import DeployError


def main(arguments: list[str]) -> int:
    try:
        if len(arguments) != 1:
            raise DeployError("give the service's name, such as NAME=billing")
        lines = create(arguments[0], ROOT)
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
