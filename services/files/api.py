"""The routes of files, feature by feature."""

from fastapi import APIRouter

from services.files.access import api as access
from services.files.uploads import api as uploads

router = APIRouter(routes=[*uploads.router.routes, *access.router.routes])
