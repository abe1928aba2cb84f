"""Whom tasks can be given to."""

from chassis.tenants.members import MEMBERS, Member, Members
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope


async def list_assignees(scope: OrgScope, request: PageRequest) -> Page[Member]:
    """The active members that this service knows of, by address. A page may have fewer than were asked for."""
    page = await Members(scope).page(MEMBERS, request)
    return Page(items=[member for member in page.items if member.active], next=page.next)
