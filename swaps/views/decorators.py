"""Access to pages: which views need an account, and how their polls are answered."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from swaps.models import User

P = ParamSpec("P")


class MemberRequest(HttpRequest):
    """A request of a user who is signed in."""

    user: User
    htmx: HtmxDetails


def members_only(
    view: Callable[Concatenate[MemberRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Redirect to the sign-in page like ``login_required``; for htmx requests move the whole page.

    A browser follows a plain redirect silently, and the sign-in page would land inside a card.
    """

    @wraps(view)
    @never_cache
    def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.htmx:
            return HttpResponseClientRedirect(_sign_in_url(_path(request.htmx.current_url)))
        return redirect(_sign_in_url(request.get_full_path()))

    return guarded


def _path(url: str | None) -> str:
    try:
        return urlsplit(url or "").path
    except ValueError:
        return ""


def _sign_in_url(then: str) -> str:
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': then})}"


def no_content() -> HttpResponse:
    """Return 204: the response to a poll when nothing has changed."""
    return HttpResponse(status=204)
