"""Receivers in Django: one under each path of one server.

Django keeps its settings for the whole process, so there is one mall of it.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false
# Django brings no types of its own.

from __future__ import annotations

import json
import logging
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from receivers.faults import Fault
from receivers.in_flask import is_gone
from receivers.in_wsgi import CONNECTION, Handler, Server
from receivers.shop import OTHER, Broken, Mall

MALLS: list[Mall] = []
"""The mall of this process."""


@csrf_exempt
def webhook(request: Any, name: str) -> HttpResponse:
    """Take a delivery."""
    shop = MALLS[0].shop(name)
    match shop.fault:
        case Fault.REDIRECT:
            return HttpResponseRedirect(f"{request.path}/")
        case Fault.LOGIN:
            return HttpResponseRedirect(f"/accounts/login/?next={request.path}")
        case Fault.CSRF:
            guard: Any = CsrfViewMiddleware(_protected)
            return guard.process_view(request, _protected, (), {})
        case Fault.REWRITTEN:
            try:
                raw = json.dumps(json.loads(request.body)).encode()
            except ValueError:
                return HttpResponse(status=400)
        case _:
            raw = request.body
    try:
        status, text = shop.receive(
            {key.lower(): value for key, value in request.headers.items()},
            raw,
            lambda: is_gone(request.META[CONNECTION]),
        )
    except Broken:
        return HttpResponse(b"Server Error (500)", status=500)
    return HttpResponse(text.encode(), status=status)


def _protected(_request: Any) -> HttpResponse:
    return HttpResponse()


def effects(_request: Any, name: str, event: str) -> HttpResponse:
    """Count the effects of an event."""
    return JsonResponse({"count": MALLS[0].shop(name).effects[event]})


def state(_request: Any, name: str, about: str) -> HttpResponse:
    """Show the status of an object."""
    found = MALLS[0].shop(name).state.get(about)
    return JsonResponse({"status": found[1]} if found else {}, status=200 if found else 404)


urlpatterns = [
    path("<name>/webhook", webhook),
    path("<name>/effects/<event>", effects),
    path("<name>/state/<about>", state),
]


def application() -> Any:
    """Return the application."""
    if not settings.configured:
        settings.configure(
            DEBUG=False,
            ROOT_URLCONF=__name__,
            SECRET_KEY=OTHER,
            ALLOWED_HOSTS=["127.0.0.1", "localhost"],
            MIDDLEWARE=[
                "django.middleware.security.SecurityMiddleware",
                "django.middleware.common.CommonMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
                "django.middleware.clickjacking.XFrameOptionsMiddleware",
            ],
            LOGGING_CONFIG=None,
        )
        django.setup()
        logging.getLogger("django").setLevel(logging.CRITICAL)
    return WSGIHandler()


def server(mall: Mall) -> Any:
    """Return a server for Django, a thread for each connection."""
    MALLS[:] = [mall]
    found = Server(("127.0.0.1", 0), Handler)
    found.set_app(application())
    return found
