"""The service's routes: those of its features."""

from fastapi import APIRouter

from services.audit.chain.api import router as chain
from services.audit.records.api import router as records

router = APIRouter(routes=[*records.routes, *chain.routes])
