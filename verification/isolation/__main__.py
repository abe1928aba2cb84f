"""Command line of the attacks: exits with 1 on a leak, and on anything that no attack covers."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import verification.isolation
from deploy.services import service_names
from verification.isolation.run import attack_service, table


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.isolation",
        description=verification.isolation.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="every service if none is named")
    return asyncio.run(attack(parser.parse_args(arguments).services or service_names()))


async def attack(services: Sequence[str]) -> int:
    reports = [await attack_service(service) for service in services]
    total = sum(report.attacks for report in reports)
    sys.stdout.write(f"{table(reports)}\n{total} attacks\n")
    leaks = [str(leak) for report in reports for leak in report.leaks]
    gaps = [f"not covered: {gap}" for report in reports for gap in report.uncovered]
    sys.stdout.writelines(f"{line}\n" for line in [*leaks, *gaps])
    return 1 if leaks or gaps else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
