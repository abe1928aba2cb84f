"""Finding members: those that tasks can be assigned to, and those that a text mentions."""

from chassis.tenants.members import MEMBERS, Member, MemberRepository
from chassis.work.repository import Page, PageRequest
from chassis.work.scope import OrgScope
from services.tasks.people.model import People, has_handles


async def list_assignees(scope: OrgScope, request: PageRequest) -> Page[Member]:
    """The active members that this service knows, by address. A page may have fewer items than were asked for."""
    page = await MemberRepository(scope).page(MEMBERS, request)
    return Page(items=[member for member in page.items if member.active], next=page.next)


async def load_people(scope: OrgScope) -> People:
    """All active members, to be found by what people write."""
    return People([member async for member in MemberRepository(scope).all_active()])


async def find_mentioned(scope: OrgScope, text: str) -> list[str]:
    """The ids of the members that `text` of the scope's actor mentions, other than the actor."""
    if not has_handles(text):
        return []
    return (await load_people(scope)).mentioned_in(text, author_id=scope.actor.person_id)
