"""The routes of files, feature by feature."""

from chassis.http.route import combine_routers
from services.files.access import api as access
from services.files.uploads import api as uploads

router = combine_routers(uploads.router, access.router)
