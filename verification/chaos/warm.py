"""Everything that the process of a service imports: loaded once by the server that processes are forked from."""

import boto3  # noqa: F401

from chassis.declare.service import load, service
from deploy.services import service_names
from verification.chaos import process  # noqa: F401

for _name in service_names():
    _declared = service(_name)
    _declared.load_router()
    _declared.load_subscriptions()
    for _path in (*_declared.ports.values(), *(schedule.task for schedule in _declared.schedules)):
        load(_path)
