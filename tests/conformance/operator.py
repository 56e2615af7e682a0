"""The operator of the site under test: runs commands, reads the log, kills processes."""

import json
import os
import re
import signal
from dataclasses import dataclass

from tests.running import wait_until
from tests.running_site import RunningSite

COURIER_IS_READY = re.compile(r"courier:[^:\s]+:(\d+) is ready")


@dataclass(frozen=True)
class Operator:
    site: RunningSite

    def run(self, program: str) -> str:
        return self.site.run(program)

    # --- callbacks ------------------------------------------------------------------------

    def wait_for_attempt(self, task_id: str, number: int, seconds: float = 60) -> None:
        """Wait until so many attempts at a callback have ended."""
        line = f"swap={task_id} attempt={number} "
        assert wait_until(lambda: line in self.site.read_log(), seconds), f"no {line}"

    def make_due(self, task_id: str) -> None:
        """Make the next attempt due now; it may have been made meanwhile."""
        self.run(
            "from django.utils import timezone; from swaps.models import Delivery;"
            f"waiting = Delivery.objects.filter(swap='{task_id}', enqueue_again_at=None);"
            "waiting.filter(status='pending').update(next_attempt_at=timezone.now())"
        )

    def end_lease(self, task_id: str) -> None:
        """End the claim of an attempt that was cut off."""
        self.run(
            "from django.utils import timezone; from swaps.models import Delivery;"
            f"assert Delivery.objects.filter(swap='{task_id}', status='pending')"
            ".update(next_attempt_at=timezone.now(), enqueue_again_at=None) == 1"
        )

    def replay(self, task_id: str) -> None:
        """Replay a delivery as soon as that is possible, which it is not while an attempt runs."""
        self.run(
            "import time; from swaps.deliveries import deliver; from swaps.models import Delivery\n"
            f"while not deliver.replay(Delivery.objects.get(swap='{task_id}')):\n"
            "    time.sleep(0.1)"
        )

    def attempts(self, task_id: str) -> list[tuple[int | None, str]]:
        """Return the HTTP status and the error of each attempt, in their order."""
        output = self.run(
            "import json; from swaps.models import DeliveryAttempt;"
            f"rows = DeliveryAttempt.objects.filter(delivery__swap='{task_id}').order_by('id');"
            "print(json.dumps([(row.status, row.error_text) for row in rows]))"
        )
        return [(status, error) for status, error in json.loads(output)]

    # --- the courier ----------------------------------------------------------------------

    def kill_courier(self) -> int:
        """Kill the courier with SIGKILL and return its pid; the supervisor starts another one."""
        pid = self._couriers()[-1]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_courier(self, killed: int) -> None:
        assert wait_until(lambda: self._couriers()[-1] != killed), "no new courier"

    def _couriers(self) -> list[int]:
        """Return the pids of all couriers that were started."""
        return [int(pid) for pid in COURIER_IS_READY.findall(self.site.read_log())]
