"""Chaos test: 200 swaps with a provider that loses, repeats, mixes up, refuses, breaks and delays.

The whole site runs, with a real server as its provider. Every swap has two pictures of its own, and
each result is compared with them, so that a mix-up is detected.
"""

import io
import random
import shutil
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench import _setup
from bench._server import free_port, whole_site

if TYPE_CHECKING:
    from swaps.images import Photo
    from swaps.models import Swap
    from tests.provider_server import Behaviour, Provider, ReceivedCall

SWAPS = 200
SEED = 20261125
DEADLINE = 20  # seconds; a delayed task takes three times as long
MAX_SECONDS = 600
SHARES = {
    "callback_lost": 0.20,
    "callback_twice": 0.20,
    "callback_first": 0.10,
    "callback_of_another_task": 0.05,
    "call_refused": 0.10,
    "call_cut": 0.05,
    "delayed_by_60_s": 0.05,
}
WITHOUT_FACE = 0.05  # of the swaps, not of the calls


def main() -> None:
    port = free_port()
    from tests.provider_server import KEY, running_provider

    faults = Faults()
    with running_provider(faults, fetches=True, honours_idempotency=False) as provider:
        faults.provider = provider
        environment = _setup.prepare(
            SITE_URL=f"http://127.0.0.1:{port}",
            FACESWAP_PROVIDER="hosted",
            FACESWAP_HOSTED_URL=provider.url,
            FACESWAP_HOSTED_KEY=KEY,
            FACESWAP_CALLBACK_DEADLINE=str(DEADLINE),
            FACESWAP_HOSTED_IN_FLIGHT="20",
            FACESWAP_HOSTED_PAUSE_SECONDS="2",
            FACESWAP_HOSTED_RESULT_HOSTS=urlsplit(provider.url).netloc,
        )
        with whole_site(environment, port):
            figures = measure(provider, faults)
    _setup.report("chaos", figures)
    shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)
    is_right = figures["in_the_right_state"] == SWAPS == figures["pictures_of_their_own_or_none"]
    is_exact = figures["quota_spent"] == figures["succeeded"]
    sys.exit(0 if is_right and is_exact else "Not all swaps ended well.")


class Faults:
    """Draws the faults of each call from ``SHARES``, and counts them."""

    provider: "Provider"

    def __init__(self) -> None:
        self.drawn: Counter[str] = Counter()
        self.reported: set[str] = set()  # swaps about which a response or a callback came

    def __call__(self, call: "ReceivedCall") -> "Behaviour":
        from tests.provider_server import Behaviour, Reply, refuses

        swap_id = call.headers["idempotency-key"].partition(".")[0]
        dice = random.Random(f"{SEED}.{call.number}")
        drawn = {name for name, share in SHARES.items() if dice.random() < share}
        self.drawn.update(drawn)
        if "call_refused" in drawn:
            return refuses(*dice.choice([(429, "too_many_requests"), (500, "api_error")]))
        is_cut = "call_cut" in drawn
        starts = not (is_cut and dice.random() < 0.5)
        others = [] if is_cut else list(self.provider.tasks)
        count = 0 if "callback_lost" in drawn else 2 if "callback_twice" in drawn else 1
        is_wrong = "callback_of_another_task" in drawn and others
        if not is_cut or (starts and count):
            self.reported.add(swap_id)
        return Behaviour(
            reply=Reply(cut_at=0) if is_cut else Reply(),
            starts=starts,
            callbacks=count,
            callback_task_id=dice.choice(others) if is_wrong else "",
            is_callback_first="callback_first" in drawn and "delayed_by_60_s" not in drawn,
            works_for=60 if "delayed_by_60_s" in drawn else dice.uniform(0, 1),
            # Depends on the swap, not on the call: sent twice, it ends the same way.
            fails=has_no_face(swap_id),
            error={"code": "no_face", "message": "No face in target_image_url."},
        )


def has_no_face(swap_id: str) -> bool:
    return random.Random(f"{SEED}.{swap_id}").random() < WITHOUT_FACE


def measure(provider: "Provider", faults: Faults) -> dict[str, object]:
    from swaps.lifecycle.request import request_swap
    from swaps.models import Quota, Submission, Swap, User
    from tests.running import wait_until

    owner = User.objects.create_user("chaos@example.com", "a fine long pass phrase")
    granted = Quota.objects.get_or_grant(owner).remaining
    begun = time.perf_counter()
    for number in range(SWAPS):
        request_swap(owner, photo(f"source.{number}"), photo(f"target.{number}"))
    mine = Swap.objects.filter(owner=owner)
    all_ended = wait_until(lambda: not mine.unfinished().exists(), MAX_SECONDS)
    seconds = time.perf_counter() - begun
    quota = Quota.objects.get(user=owner)
    swaps = list(mine)
    ended = Counter(f"{swap.status} {swap.error_code}".strip() for swap in swaps)
    sends = Submission.objects.filter(swap__owner=owner).values_list("sends", "refusals")
    return {
        "swaps": len(swaps),
        "all_ended": all_ended,
        "in_the_right_state": sum(
            is_right(swap, str(swap.pk) in faults.reported) for swap in swaps
        ),
        "cut_twice_and_told_nothing": len({str(swap.pk) for swap in swaps} - faults.reported),
        "pictures_of_their_own_or_none": sum(map(has_own_picture, swaps)),
        "succeeded": ended["succeeded"],
        "ended": dict(ended),
        "quota_spent": quota.spent,
        "quota_missing": granted - quota.remaining - ended["succeeded"],
        "went_wrong": dict(sorted(faults.drawn.items())),
        "calls": len(provider.swaps),
        "questions": len(provider.task_calls),
        "tasks_begun": len(provider.tasks),
        "callback_answers": dict(Counter(posted.status for posted in provider.posted)),
        "sent_more_than_once": sum(sent > 1 for sent, _ in sends),
        "refused_and_sent_again": sum(refusals > 0 for _, refusals in sends),
        "most_in_flight": provider.most_at_once,
        "seconds": round(seconds, 1),
    }


def is_right(swap: "Swap", is_reported: bool) -> bool:
    """Return whether a swap ended as the provider reported, or timed out without a report."""
    if not is_reported:
        return (swap.status, swap.error_code) == ("failed", "timeout")
    if has_no_face(str(swap.pk)):
        return (swap.status, swap.error_code, swap.error_image) == ("failed", "no_face", "target")
    return swap.is_succeeded


def has_own_picture(swap: "Swap") -> bool:
    """Return whether the result was made from the swap's own two pictures."""
    from swaps import storage
    from swaps.provenance import xmp
    from tests.provider_server import is_mixed_from

    if not swap.is_succeeded:
        return not swap.result_key
    result, source, target = (
        storage.read(key) for key in (swap.result_key, swap.source_key, swap.target_key)
    )
    return is_mixed_from(result, source, target) and xmp.is_marked(result)


def photo(name: str) -> "Photo":
    """Return a photo of coloured squares, different for each name."""
    from PIL import Image

    from swaps import images

    dice = random.Random(f"{SEED}.{name}")
    squares = Image.frombytes("RGB", (8, 6), dice.randbytes(8 * 6 * 3))
    out = io.BytesIO()
    squares.resize((640, 480), Image.Resampling.NEAREST).save(out, "JPEG", quality=90)
    data = out.getvalue()
    return images.accept(io.BytesIO(data), size=len(data), max_bytes=10**7, max_pixels=10**7)


if __name__ == "__main__":
    main()
