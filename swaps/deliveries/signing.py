"""The payload of a callback and its signatures, by the Standard Webhooks specification."""

import datetime
import json

from standardwebhooks import Webhook

from swaps import serializers
from swaps.models import ApiAccess, Delivery, Detection, Swap


def payload(task: Swap | Detection) -> bytes:
    """Return the JSON body of a task's callback."""
    return json.dumps(serializers.response(task)).encode()


def sign(delivery: Delivery, body: bytes, now: datetime.datetime) -> dict[str, str]:
    """Return the headers, with one signature for each secret that is valid now."""
    access = ApiAccess.objects.get_or_grant_by_id(delivery.owner_id)
    signatures = [
        Webhook(secret).sign(delivery.message_id, now, body.decode())
        for secret in access.signing_secrets(now)
    ]
    return {
        "content-type": "application/json",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
