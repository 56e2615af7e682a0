"""What every form for photos shows beside its places: limits, what is left, what is the matter."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from swaps import images
from swaps.hosted import status as hosted_status
from swaps.models import Provider, Quota
from swaps.storage import space
from swaps.views import consent, form_tokens
from swaps.views.decorators import MemberRequest


def context(request: MemberRequest) -> dict[str, Any]:
    """Return the context that the pages of a swap and of a batch have in common."""
    is_hosted = settings.FACESWAP_PROVIDER == Provider.HOSTED
    return {
        "form_token": form_tokens.current_token(request),
        "consented_at": consent.given_at(request),
        "would_wait": is_hosted and hosted_status.is_down(timezone.now()),
        "swaps_left": Quota.objects.remaining_of(request.user),
        "is_full": space.is_low(),
        "accept": ",".join(images.ACCEPTED_CONTENT_TYPES),
        "accepted": images.ACCEPTED_TEXT.replace(" and ", " or "),
        "limits": {
            "bytes": settings.FACESWAP_MAX_UPLOAD_BYTES,
            "megabytes": settings.FACESWAP_MAX_UPLOAD_BYTES // 1_000_000,
            "megapixels": settings.FACESWAP_MAX_PIXELS // 1_000_000,
        },
    }
