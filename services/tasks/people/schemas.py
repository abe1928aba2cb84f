"""Views of people."""

from typing import Self

from chassis.http.schemas import View
from chassis.tenants.members import Member
from contracts.common import Role


class Assignee(View):
    """A member that tasks can be assigned to."""

    user_id: str
    name: str
    email: str
    role: Role

    @classmethod
    def of(cls, member: Member) -> Self:
        return cls(user_id=member.id, name=member.name, email=member.email, role=member.role)
