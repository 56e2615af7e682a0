"""gunicorn's settings with limits on time that a test can wait for."""

from swaps import room, web_worker
from swaps.web_server import *  # noqa: F403

web_worker.HEAD_SECONDS = 0.3
room.READ_SECONDS = 0.3
