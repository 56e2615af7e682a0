"""gunicorn's settings with time limits that a test can wait for."""

from swaps.processes import gunicorn_worker
from swaps.processes.gunicorn_config import *  # noqa: F403
from swaps.runtime import request_slots

gunicorn_worker.HEAD_SECONDS = 0.3
request_slots.MAX_READ_SECONDS = 0.3
