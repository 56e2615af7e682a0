"""Access to pages: which views need an account, and how their polls are answered."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.cache import patch_cache_control
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from swaps.accounts import guests
from swaps.models import User

P = ParamSpec("P")


class OwnerRequest(HttpRequest):
    """A request of somebody who has pictures here: a user who is signed in, or a guest."""

    owner: User
    htmx: HtmxDetails


class MemberRequest(OwnerRequest):
    """A request of a user who is signed in."""

    user: User


def members_only(
    view: Callable[Concatenate[MemberRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Redirect to the sign-in page like ``login_required``; for htmx requests move the whole page.

    A browser follows a plain redirect silently, and the sign-in page would land inside a card.
    Browsers may keep the answer for back and forward, and otherwise ask again; a view that shows
    a secret is to be ``never_cache`` in addition.
    """

    @wraps(view)
    @revalidated
    def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _redirect_to_sign_in(request)
        request.owner = request.user
        return view(request, *args, **kwargs)

    return guarded


def members_or_guests(
    view: Callable[Concatenate[OwnerRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let guests in as well: ``request.owner`` is the user who is signed in, or the guest.

    Whoever is neither is redirected as by ``members_only``.
    """

    @wraps(view)
    @revalidated
    def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        is_member = request.user.is_authenticated
        request.owner = request.user if is_member else guests.find_guest(request.session)
        if request.owner is None:
            return _redirect_to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def revalidated(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Let only the browser keep the answer, and ask before it uses it; the view may differ."""

    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(*args, **kwargs)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return response

    return answered


def clears_browser_cache(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Let the browser forget the pages and pictures of this site once the form was accepted.

    Browsers do so over https, and at an address of this machine.
    """

    @wraps(view)
    def clearing(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(*args, **kwargs)
        if response.status_code == HTTPStatus.FOUND:
            response["Clear-Site-Data"] = '"cache"'
        return response

    return clearing


def _redirect_to_sign_in(request: Any) -> HttpResponse:
    if request.htmx:
        return HttpResponseClientRedirect(_sign_in_url(_path(request.htmx.current_url)))
    return redirect(_sign_in_url(request.get_full_path()))


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
