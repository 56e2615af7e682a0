"""What all tests share: pictures of their own on disk, and markers."""

from pathlib import Path

import hypothesis
import pytest
from pytest_django import Settings

# A machine that is busy with something else makes no example wrong.
hypothesis.settings.register_profile("site", deadline=None)
hypothesis.settings.load_profile("site")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives headless Chromium (skipped without it)")


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path) -> None:
    """Each test has a store of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
