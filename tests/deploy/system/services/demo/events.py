"""The events of the fixture service; those of real services are in contracts/."""

from contracts.event import Event
from contracts.reads import Reads


class ThingHappened(Event, type="demo.thing.happened.v1", subject="thing_id"):
    thing_id: str
    note: str = ""


class Happened(Reads[ThingHappened]):
    thing_id: str
