"""Fixtures: one running site, one customer's server, and keys. There is no ORM in here.

The site may fetch from the customer's server because ``FACESWAP_FETCH_ALLOW`` names its ports.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PIL import Image

from tests.conformance.bare_client import BareClient
from tests.conformance.operator import Operator
from tests.pictures import data_url
from tests.receiver import Receiver, receiving
from tests.running_site import running_site

CALLS_PER_MINUTE = 20_000
WAITING_CALLS = 8  # in each web process
ENVIRONMENT = {
    "FACESWAP_API_CALLS_PER_MINUTE": str(CALLS_PER_MINUTE),
    "FACESWAP_API_WAITING_CALLS": str(WAITING_CALLS),
    "FACESWAP_API_FREE_SWAPS": "20",
    "FACESWAP_API_MAX_BODY_MB": "1",
}
# Keys that no command makes.
CAST = """
import datetime, json
from django.utils import timezone
from swaps.models import ApiAccess, ApiKey, Door, Grant, Scope, Swap, User

def key(name, **fields):
    user, _ = User.objects.get_or_create(email=f"{name}@example.com")
    return ApiKey.objects.issue(user, **fields)[1]

now = timezone.now()
found = {
    "bob": key("bob"),
    "thrifty": key("thrifty"),
    "demo": key("demo"),
    "swap_only": key("alice", scope=Scope.SWAP),
    "tasks_only": key("alice", scope=Scope.TASKS),
    "expired": key("alice", expires_at=now - datetime.timedelta(seconds=1)),
    "revoked": key("alice", revoked_at=now),
    "disabled": key("alice", is_disabled=True),
    "blocked": key("mallory"),
}
User.objects.filter(email="mallory@example.com").update(is_active=False)
of_demo = Swap.objects.filter(owner__email="demo@example.com")
secret = ApiAccess.objects.get(user__email="alice@example.com").callback_secret
print(json.dumps({
    "keys": found, "secret": secret, "browser_swaps": [str(swap.pk) for swap in of_demo]
}))
"""


@dataclass(frozen=True, kw_only=True)
class Cast:
    keys: dict[str, str]
    secret: str  # signs alice's callbacks
    browser_swaps: list[str]  # of the demo account


@pytest.fixture(scope="package")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="package")
def fickle_port() -> int:
    """Return a port, allowed for the site, at which a receiver may come and go."""
    with receiving() as receiver:
        return receiver.server_port


@pytest.fixture(scope="package")
def operator(
    receiver: Receiver, fickle_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    allowed = f"127.0.0.1:{receiver.server_port}, 127.0.0.1:{fickle_port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (ENVIRONMENT | {"FACESWAP_FETCH_ALLOW": allowed}).items():
            patch.setenv(name, value)
        with running_site(tmp_path_factory.mktemp("conformance")) as site:
            yield Operator(site)


@pytest.fixture(scope="package")
def alice_key(operator: Operator) -> str:
    made = operator.site.manage(
        "create_api_key", "alice@example.com", "--create", "--quota", "1000"
    )
    return made.strip()


@pytest.fixture(scope="package")
def cast(operator: Operator, alice_key: str) -> Cast:
    return Cast(**json.loads(operator.run(CAST)))


@pytest.fixture
def alice(operator: Operator, alice_key: str) -> BareClient:
    return BareClient(url=operator.site.url, key=alice_key)


@pytest.fixture
def bob(operator: Operator, cast: Cast) -> BareClient:
    """Return the client of a user who is a stranger to alice."""
    return BareClient(url=operator.site.url, key=cast.keys["bob"])


@pytest.fixture
def samples(operator: Operator) -> tuple[str, str]:
    folder = f"{operator.site.url}/samples"
    return f"{folder}/1-face.jpg", f"{folder}/1-photo.jpg"


@pytest.fixture(scope="session")
def faceless() -> str:
    """Return a small picture without a face as ``data:`` URL: it is accepted, and fails quickly."""
    out = io.BytesIO()
    Image.new("RGB", (96, 96), "tan").save(out, "PNG")
    return data_url(out.getvalue(), "image/png")
