"""The routes of analytics, feature by feature."""

from chassis.http.route import combine_routers
from services.analytics.figures import api as figures

router = combine_routers(figures.router)
