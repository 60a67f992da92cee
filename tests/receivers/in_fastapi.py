"""Receivers in FastAPI: one under each path of one server."""

from __future__ import annotations

import asyncio
import json

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse

from receivers.faults import Fault
from receivers.shop import GAP, Broken, Mall, Shop


def application(mall: Mall) -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.post("/{name}/webhook")
    async def webhook(name: str, request: Request) -> Response:
        shop = mall.shop(name)
        match shop.fault:
            case Fault.REDIRECT:
                return RedirectResponse(f"{request.url.path}/", 307)
            case Fault.LOGIN:
                raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
            case Fault.CSRF:
                raise HTTPException(403, "CSRF token missing")
            case _:
                raw = await _raw(shop, request)
        is_gone = shop.fault is Fault.GIVES_UP and await _is_gone(request)
        headers = dict(request.headers)
        status, text = await run_in_threadpool(shop.receive, headers, raw, lambda: is_gone)
        return Response(text, status)

    @app.get("/{name}/effects/{event}")
    def effects(name: str, event: str) -> dict[str, int]:
        return {"count": mall.shop(name).effects[event]}

    @app.get("/{name}/state/{about}")
    def state(name: str, about: str) -> Response:
        found = mall.shop(name).state.get(about)
        return JSONResponse({"status": found[1]} if found else {}, 200 if found else 404)

    @app.exception_handler(Broken)
    def broken(_request: Request, _error: Exception) -> Response:
        return Response("Internal Server Error", 500)

    del webhook, effects, state, broken
    return app


async def _raw(shop: Shop, request: Request) -> bytes:
    if shop.fault is not Fault.REWRITTEN:
        return await request.body()
    try:
        return json.dumps(await request.json()).encode()
    except ValueError:
        raise HTTPException(400) from None


async def _is_gone(request: Request) -> bool:
    """Whether the caller has hung up by the time that the work takes."""
    await asyncio.sleep(GAP)  # noqa: TID251 - the fault
    return await request.is_disconnected()


def server(mall: Mall) -> uvicorn.Server:
    """Return the server that FastAPI is run by."""
    config = uvicorn.Config(
        application(mall), host="127.0.0.1", port=0, log_config=None, lifespan="off"
    )
    return uvicorn.Server(config)
