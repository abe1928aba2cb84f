"""The routes of analytics, feature by feature."""

from fastapi import APIRouter

from services.analytics.figures import api as figures

router = APIRouter(routes=[*figures.router.routes])
