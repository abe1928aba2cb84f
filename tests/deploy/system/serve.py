"""A stand-in for a service's process: `serve.py NAME`, with the environment that a real one gets."""

import asyncio
import json
import os
import sys
from typing import Any

from aiohttp import web

NAME = sys.argv[1]


def openapi() -> dict[str, Any]:
    answer = {"responses": {"200": {"description": "fine"}}}
    schemas = {"Shared": {"type": "string"}, "Thing": {"type": "object", "title": NAME}}
    reference = {"$ref": "#/components/schemas/Thing"}
    body = {"requestBody": {"content": {"application/json": {"schema": reference}}}}
    return {
        "openapi": "3.1.0",
        "paths": {
            f"/v1/{NAME}/things/{{id}}": {"get": answer, "post": answer | body},
            f"/v1/{NAME}/slow": {"get": answer},
        },
        "components": {"schemas": schemas},
    }


async def ready(_: web.Request) -> web.Response:
    return web.Response(text="ready")


async def document(_: web.Request) -> web.Response:
    return web.json_response(openapi())


async def slow(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def echo(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    seen = {
        "service": NAME,
        "method": request.method,
        "path": request.raw_path,
        "bytes": len(body),
        "forwarded_for": request.headers.get("X-Forwarded-For"),
        "environment": {key: value for key, value in os.environ.items() if key.isupper()},
    }
    return web.Response(
        status=201 if request.method == "POST" else 200,
        headers={"X-Service": NAME, "Set-Cookie": "a=1"},
        content_type="application/json",
        text=json.dumps(seen),
    )


def main() -> None:
    if os.environ.get("BREAK"):
        sys.exit("broken on purpose")
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes(
        [
            web.get("/health/ready", ready),
            web.get("/openapi.json", document),
            web.get(f"/v1/{NAME}/slow", slow),
            web.route("*", "/{path:.*}", echo),
        ]
    )
    web.run_app(app, host=os.environ["TENFOLD_HOST"], port=int(os.environ["TENFOLD_PORT"]), print=None, access_log=None)


if __name__ == "__main__":
    main()
