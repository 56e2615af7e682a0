"""The database models: accounts, swaps and what belongs to them, changed by their methods only."""

from swaps.models.account_storage import AccountStorage
from swaps.models.api_access import ApiAccess
from swaps.models.api_key import ApiKey, ApiKeyUse, Scope
from swaps.models.bad_result import BadResult
from swaps.models.batch import Batch
from swaps.models.counters import CallCount, FormCount, GuestCount, PhotoCount
from swaps.models.delivery import Delivery, DeliveryAttempt, DeliveryStatus
from swaps.models.detection import Detection
from swaps.models.form import FormSubmission
from swaps.models.grant import Grant
from swaps.models.heartbeat import Heartbeat
from swaps.models.hosted_provider import HostedProvider
from swaps.models.idempotency_key import IdempotencyKey
from swaps.models.inspected_callback import InspectedCallback
from swaps.models.mail import Mail
from swaps.models.provider_callback import ProviderCallback, Verdict
from swaps.models.quota import Door, Quota
from swaps.models.share_link import ShareLink
from swaps.models.stray_files import StrayFiles
from swaps.models.submission import Submission
from swaps.models.submission_queryset import Stage
from swaps.models.swap import Swap
from swaps.models.swap_states import Provider, Status
from swaps.models.upload import Look, Upload
from swaps.models.user import User

__all__ = [
    "AccountStorage",
    "ApiAccess",
    "ApiKey",
    "ApiKeyUse",
    "BadResult",
    "Batch",
    "CallCount",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "Detection",
    "Door",
    "FormCount",
    "FormSubmission",
    "Grant",
    "GuestCount",
    "Heartbeat",
    "HostedProvider",
    "IdempotencyKey",
    "InspectedCallback",
    "Look",
    "Mail",
    "PhotoCount",
    "Provider",
    "ProviderCallback",
    "Quota",
    "Scope",
    "ShareLink",
    "Stage",
    "Status",
    "StrayFiles",
    "Submission",
    "Swap",
    "Upload",
    "User",
    "Verdict",
]
