"""The routes of notify, feature by feature."""

from chassis.http.route import combine_routers
from services.notify.inbox import api as inbox

router = combine_routers(inbox.router)
