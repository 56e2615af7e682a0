"""What every request and every answer has in common, whichever layer answers."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from swaps import net_proxies
from swaps.log_secrets import is_secret_path

View = Callable[[HttpRequest], HttpResponse]

FORWARDED_HEADERS = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


def trust_known_proxies_only(get_response: View) -> View:
    """Middleware: ``REMOTE_ADDR`` becomes the client's address.

    What others than the proxies in FACESWAP_TRUSTED_PROXIES say about it, or about https, is
    dropped.
    """
    trusted = net_proxies.parse_networks(settings.FACESWAP_TRUSTED_PROXIES)

    def middleware(request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        said = {name: request.META.pop(name, "") for name in FORWARDED_HEADERS}
        forwarded_for = ""
        if net_proxies.is_trusted(peer, trusted):
            forwarded_for = said["HTTP_X_FORWARDED_FOR"]
            # Of several the last is the trusted proxy's own; Django would read the first.
            scheme = said["HTTP_X_FORWARDED_PROTO"].rpartition(",")[2].strip()
            request.META["HTTP_X_FORWARDED_PROTO"] = scheme
        request.META["REMOTE_ADDR"] = net_proxies.client_address(peer, forwarded_for, trusted)
        return get_response(request)

    return middleware


def keep_from_others(get_response: View) -> View:
    """Middleware: shared caches keep no page, and no other request learns a secret address.

    Pages whose address is a secret send requests of their own (styles, scripts, forms). Their
    Referer header then names the site only: a full one would stand in the log of a proxy, and with
    none at all a form would be refused (its Origin would be "null").
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True)
        if is_secret_path(request.path_info):
            response["Referrer-Policy"] = "strict-origin"
        return response

    return middleware
