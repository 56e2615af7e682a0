"""Pages that need no account."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    context = {"can_try": settings.FACESWAP_GUEST_SWAPS > 0}
    return render(request, "home.html", context)
