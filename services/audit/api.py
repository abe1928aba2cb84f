"""The routes of audit, feature by feature."""

from chassis.http.route import combine_routers
from services.audit.chain import api as chain
from services.audit.records import api as records

router = combine_routers(records.router, chain.router)
