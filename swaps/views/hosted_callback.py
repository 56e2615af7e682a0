"""Receives callbacks of the hosted provider. Nobody signs in here: the URL itself is the secret."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from swaps import errors, links
from swaps.api import bodies
from swaps.hosted import callbacks
from swaps.models import Verdict

STATUSES = {
    Verdict.ACCEPTED: 202,
    Verdict.REPEATED: 204,
    Verdict.LATE: 204,
    Verdict.NOT_UNDERSTOOD: 400,
    Verdict.OTHER_TASK: 409,
    Verdict.REMOVED: 410,
}


@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """Record the callback of one swap; its picture is fetched by a task afterwards."""
    swap_id = links.swap_id_of_callback(token)
    if swap_id is None:
        return HttpResponse(status=404)  # before its body is read
    try:
        body = bodies.read(request, callbacks.MAX_BYTES)
    except errors.SwapError as error:  # cut off, too long, or packed in a way that is none
        return HttpResponse(status=error.status)
    return HttpResponse(status=STATUSES[callbacks.receive(swap_id, body)])
