"""Fixtures of the tests of the hosted provider's client."""

import pytest
from pytest_django import Settings

from tests.provider_server import KEY


@pytest.fixture
def the_key_is_good(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_KEY = KEY
    settings.FACESWAP_HOSTED_TIMEOUT_SECONDS = 10
