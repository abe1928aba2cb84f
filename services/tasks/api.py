"""The routes of tasks, feature by feature."""

from chassis.http.route import combine_routers
from services.tasks.comments import api as comments
from services.tasks.imports import api as imports
from services.tasks.people import api as people
from services.tasks.projects import api as projects
from services.tasks.tasks import api as tasks

router = combine_routers(projects.router, people.router, tasks.router, comments.router, imports.router)
