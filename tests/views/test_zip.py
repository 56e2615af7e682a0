"""Several results as one ZIP archive, streamed."""

import io
import zipfile
from contextlib import ExitStack
from typing import Any

from django.test import Client
from django.urls import reverse

from swaps import storage
from swaps.models import Swap, User
from swaps.runtime.fair_share import MAX_AT_ONCE, try_acquire
from swaps.storage.archive import BLOCK_BYTES, MISSING_FILE, stream_zip
from swaps.views.archives import MAX_SELECTED
from tests.swap_rows import finished_swap, queued_swap


def get(client: Client, *swaps: Swap, **more: Any) -> Any:
    query = {"ids": ",".join(str(swap.pk) for swap in swaps)}
    return client.get(reverse("swaps:selected_zip"), query, **more)


def opened(answer: Any) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    return archive


def named(owner: User, name: str) -> Swap:
    swap = finished_swap(owner)
    Swap.objects.filter(pk=swap.pk).update(name=name)
    swap.refresh_from_db()
    return swap


def test_the_archive_holds_the_results_as_they_are_stored(as_alice: Client, alice: User) -> None:
    swaps = [finished_swap(alice), named(alice, "Anna am Strand")]
    answer = get(as_alice, *swaps)
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="faceswap-')
    assert "no-store" in answer.headers["Cache-Control"]
    archive = opened(answer)
    names = [f"faceswap-{swaps[0].created_at:%Y-%m-%d-%H%M%S}.jpg", "Anna-am-Strand.jpg"]
    assert archive.namelist() == names
    assert [archive.read(name) for name in names] == [storage.read(s.result_key) for s in swaps]
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_ids_may_be_repeated_instead_of_listed(as_alice: Client, alice: User) -> None:
    pks = [str(finished_swap(alice).pk) for _ in range(2)]
    answer = as_alice.get(reverse("swaps:selected_zip"), {"ids": [*pks, "no id"]})
    assert len(opened(answer).namelist()) == 2


def test_names_are_safe_and_unique(as_alice: Client, alice: User) -> None:
    names = [
        "../../etc/passwd",
        "Ole",
        "ole",
        "ole-2",
        'a:b*c?"<d>|\0e'.replace("\0", "\n"),
        "木村",
        "…",
    ]
    swaps = [named(alice, name) for name in names]
    found = opened(get(as_alice, *swaps)).namelist()
    dated = f"faceswap-{swaps[-1].created_at:%Y-%m-%d-%H%M%S}.jpg"
    assert found == [
        "etc-passwd.jpg", "Ole.jpg", "ole-2.jpg", "ole-2-2.jpg", "a-b-c-d-e.jpg", "木村.jpg", dated,
    ]  # fmt: skip


def test_what_is_missing_is_named_in_a_text_file(as_alice: Client, alice: User) -> None:
    gone, there, unfinished = named(alice, "gone"), named(alice, "there"), queued_swap(alice)
    Swap.objects.filter(pk=unfinished.pk).update(name="unfinished")
    storage.delete([gone.result_key])
    archive = opened(get(as_alice, gone, there, unfinished))
    assert archive.namelist() == ["there.jpg", MISSING_FILE]
    assert archive.read(MISSING_FILE).decode().splitlines()[2:] == ["gone.jpg", "unfinished"]


def test_without_a_finished_swap_there_is_a_page(as_alice: Client, alice: User) -> None:
    for answer in (get(as_alice, queued_swap(alice)), get(as_alice)):
        assert answer.status_code == 409
        assert "Nothing to download yet" in answer.content.decode()


def test_only_ones_own_are_in_it(as_charlie: Client, alice: User, charlie: User) -> None:
    mine = finished_swap(charlie)
    assert len(opened(get(as_charlie, finished_swap(alice), mine)).namelist()) == 1
    hidden = finished_swap(charlie)
    Swap.objects.filter(pk=hidden.pk).update(is_hidden=True)
    assert get(as_charlie, hidden).status_code == 409


def test_nobody_else_gets_it(client: Client, alice: User) -> None:
    assert get(client, finished_swap(alice)).status_code == 302


def test_more_than_a_hundred_are_refused(as_alice: Client) -> None:
    ids = [f"{number:032x}" for number in range(MAX_SELECTED + 1)]
    assert as_alice.get(reverse("swaps:selected_zip"), {"ids": ids[1:]}).status_code == 409
    assert as_alice.get(reverse("swaps:selected_zip"), {"ids": ids}).status_code == 400


def test_files_are_opened_when_it_is_their_turn(as_alice: Client, alice: User) -> None:
    first, second = named(alice, "first"), named(alice, "second")
    storage.put(first.result_key, bytes(4 * BLOCK_BYTES))
    blocks = stream_zip({"first.jpg": first.result_key, "second.jpg": second.result_key})
    begun = [next(blocks), next(blocks)]
    storage.delete([second.result_key])
    rest = list(blocks)
    assert max(map(len, begun + rest)) == BLOCK_BYTES
    archive = zipfile.ZipFile(io.BytesIO(b"".join(begun + rest)))
    assert archive.namelist() == ["first.jpg", MISSING_FILE]


def test_one_account_cannot_hold_all_threads(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    running = [get(as_alice, swap) for _ in range(MAX_AT_ONCE)]
    refused = get(as_alice, swap)
    assert refused.status_code == 429
    assert "One download after the other" in refused.content.decode()
    next(running[0].streaming_content)
    running[0]._iterator.close()  # the client has gone
    for answer in [get(as_alice, swap), *running[1:]]:
        opened(answer)
    with ExitStack() as stack:
        shares = [stack.enter_context(try_acquire(("archive", alice.pk))) for _ in range(4)]
        assert shares == [True] * MAX_AT_ONCE + [False]


def test_head_tells_the_name_and_opens_nothing(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    storage.delete([swap.result_key])
    answer = as_alice.head(reverse("swaps:selected_zip"), {"ids": str(swap.pk)})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
