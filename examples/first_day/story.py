"""The story of the day, phase by phase."""

from examples.first_day import arrivals, work
from examples.first_day.day import Day


async def play(day: Day) -> None:
    """Plays all phases. Raises UnexpectedAnswerError if the system gives a wrong answer."""
    cast = day.cast()
    async with day.phase("founding"):
        await arrivals.found_organization(day, cast.founder)
    async with day.phase("inviting"):
        await arrivals.invite(day, cast)
    async with day.phase("joining"):
        await arrivals.join(day, cast)
    manager = next(person for person in day.people.values() if person.role == "manager")
    async with day.phase("importing"):
        await work.import_backlog(day, manager)
    async with day.phase("working"):
        await work.work(day, manager)
    async with day.phase("uploading"):
        await work.upload(day)
    async with day.phase("removing"):
        await arrivals.remove(day, cast)
