"""The form that deletes a swap."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from swaps.lifecycle.remove import remove_swap
from swaps.models import Swap
from swaps.views.decorators import OwnerRequest, members_or_guests


@members_or_guests
@require_POST
def delete(request: OwnerRequest, pk: uuid.UUID) -> HttpResponse:
    """Remove a swap with its pictures. Twice is no error: a double click sends it twice."""
    mine = Swap.objects.filter(owner=request.owner, is_hidden=False)
    remove_swap(get_object_or_404(mine, pk=pk))
    messages.success(request, "Deleted, with all its pictures.")
    return redirect("swaps:try" if request.owner.is_guest else "swaps:history")
