"""Request bodies about plans."""

from chassis.http.schemas import RequestBody
from contracts.common import Plan


class NewPlan(RequestBody):
    plan: Plan
