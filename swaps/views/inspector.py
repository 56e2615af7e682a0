"""Receives callbacks that other servers post to the inspector."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from swaps import errors
from swaps.api import bodies
from swaps.deliveries import inspector


@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """Keep a callback for the account whose signed token the URL carries."""
    if inspector.user_id_of_token(token) is None:
        return HttpResponse(status=404)  # before its body is read
    try:
        body = bodies.read(request, inspector.MAX_BYTES)
    except errors.SwapError as error:
        return HttpResponse(status=error.status)
    return HttpResponse(status=inspector.receive(token, request.headers, body))
