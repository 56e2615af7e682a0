"""Units in the queue. Each takes an id, claims the row, does one thing, ends in a named state."""

import logging

from django_tasks import task

from swaps import errors, services
from swaps.models import Swap
from swaps.providers.base import Provider, SwapRequest

log = logging.getLogger(__name__)


@task()
def run_swap(swap_id: str) -> None:
    """Perform one swap. May be enqueued any number of times; one claim wins."""
    swap = Swap.objects.filter(pk=swap_id).first()
    if swap is None or not swap.claim():
        return
    from swaps.providers import embedded  # loads the engine: in the worker only

    provider: Provider = embedded
    request = SwapRequest(source_key=swap.source_key, target_key=swap.target_key)
    try:
        services.settle(swap, provider.submit(request))
    except errors.SwapError as error:
        services.settle(swap, error)
    except Exception:
        log.exception("swap=%s attempt=%d broke", swap.pk, swap.attempts)
        swap.give_up_lease()  # the clock tries again, or ends it after the last attempt
