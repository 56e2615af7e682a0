"""Makes the small copies that pictures of earlier versions lack."""

from django.conf import settings
from django.db import transaction

from swaps import images, storage
from swaps.images import budget
from swaps.lifecycle.photos import load_photo
from swaps.models import AccountStorage, Swap


def make_small_copies(swap: Swap) -> None:
    """Make the small copies that an ended swap's pictures lack, and count their bytes.

    Doing it twice does no harm. A picture that is missing or broken gets none.
    """
    keys = [key for key in (*swap.source_keys, swap.target_key, swap.result_key) if key]
    size = sum(map(_make_copies, keys))
    try:
        with transaction.atomic():
            swap.lock()
            is_gone = swap.is_gone
            if swap.record_small_copies(0 if is_gone else size) and not is_gone:
                AccountStorage.objects.add(swap.owner_id, size)
    except Swap.DoesNotExist:  # the account was deleted meanwhile
        is_gone = True
    if is_gone:  # what was just stored must not stay
        storage.delete(keys)


def _make_copies(key: str) -> int:
    """Make what is missing of a picture's small copies; return its bytes."""
    try:
        photo = load_photo(key)
        if photo.has_all_copies:
            return 0
        memory = images.memory_needed(photo.data, max_pixels=settings.FACESWAP_MAX_PIXELS)
        with budget.reserve(memory, who="worker"):
            copies = images.small_copies(photo.data)
    except (FileNotFoundError, images.ImageRefused):
        return 0
    missing = {side: copy for side, copy in copies.items() if side not in photo.copies}
    storage.put_copies(key, missing)
    return sum(map(len, missing.values()))
