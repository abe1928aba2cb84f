"""`python -m verification.isolation [SERVICE ...]`: attack the services; fails on any leak, and on what no attack
covers."""

import asyncio
import sys

from deploy.services import service_names
from verification.isolation.run import attacked, table


async def main(services: list[str]) -> int:
    reports = [await attacked(service) for service in services or service_names()]
    total = sum(report.attacks for report in reports)
    sys.stdout.write(f"{table(reports)}\n{total} attacks\n")
    leaks = [str(leak) for report in reports for leak in report.leaks]
    gaps = [f"not covered: {gap}" for report in reports for gap in report.uncovered]
    sys.stdout.writelines(f"{line}\n" for line in [*leaks, *gaps])
    return 1 if leaks or gaps else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
