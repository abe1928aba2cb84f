"""The service's routes: those of its features."""

from fastapi import APIRouter

from services.notify.inbox.api import router as inbox

router = APIRouter(routes=inbox.routes)
