"""The rows: accounts, swaps and what belongs to them."""

from swaps.models.heartbeat import Heartbeat
from swaps.models.quota import Quota
from swaps.models.swap import Status, Swap
from swaps.models.upload import Upload
from swaps.models.user import User

__all__ = ["Heartbeat", "Quota", "Status", "Swap", "Upload", "User"]
