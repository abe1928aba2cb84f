"""The routes of tasks, feature by feature."""

from fastapi import APIRouter

from services.tasks.comments import api as comments
from services.tasks.imports import api as imports
from services.tasks.people import api as people
from services.tasks.projects import api as projects
from services.tasks.tasks import api as tasks

features = (projects, people, tasks, comments, imports)
router = APIRouter(routes=[route for feature in features for route in feature.router.routes])
