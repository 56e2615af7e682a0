"""Browser, site, S3, provider, callback, S3, browser: the whole way of a swap made elsewhere."""

import re
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from swaps.provenance import xmp
from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor
from tests.paths import NO_FACE, OTHER, SOURCE, TARGET
from tests.running import wait_until
from tests.running_site import RunningSite
from tests.s3_server import client

NAMES = ("source", "target", "result")
SHOWN = "image => image.decode().then(() => image.naturalWidth > 0)"
# Behind these a path is a secret; in a log it is written as ***.
TOKEN = re.compile(r"/(?:files|callbacks)/(?!\*\*\*|inspect/)[^\s\"'<>]{8}")


def request_in_browser(page: Page, source: Path, target: Path) -> None:
    page.locator("#id_source_image").set_input_files(source)
    page.locator("#id_target_image").set_input_files(target)
    consent = page.locator("#id_consent")
    if consent.count():  # asked once a visit
        consent.check()
    with page.expect_navigation():
        page.get_by_role("button", name="Swap faces").click()


def objects_of(bucket: str, swap: str) -> dict[str, str]:
    """The key of each of its objects, by what it is called without its extension."""
    found = client().list_objects_v2(Bucket=bucket)
    keys = [entry["Key"] for entry in found.get("Contents", ()) if swap in entry["Key"]]
    return {re.sub(r"\.(jpg|png)", "", key.rpartition("/")[2]): key for key in keys}


def status_of_unsigned(bucket: str, key: str) -> int:
    try:
        with urllib.request.urlopen(f"{client().meta.endpoint_url}/{bucket}/{key}") as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_two_photos_become_a_picture_that_was_made_elsewhere(
    new_visitor: NewVisitor, site: RunningSite, provider: RunningSite, bucket: str
) -> None:
    visitor = new_visitor("anna")
    page = visitor.open("/swaps/new/")
    with provider.resting_worker():
        with site.resting_courier():
            request_in_browser(page, SOURCE, TARGET)
            expect(page.get_by_role("heading", name="Waiting for its turn")).to_be_visible()
        expect(page.get_by_role("heading", name="Swapping…")).to_be_visible()
    picture = page.locator("[data-compare] .after img")
    assert picture.evaluate(SHOWN)

    with page.expect_download() as started:
        page.get_by_role("link", name="Download", exact=True).click()
    assert xmp.is_marked(started.value.path().read_bytes())

    [swap] = visitor.swaps()
    objects = objects_of(bucket, swap)
    assert set(objects) == {
        *(
            f"{name}{copy}"
            for name in NAMES
            for copy in ("", ".160.webp", ".thumb.webp", ".1600.webp")
        )
    }
    kept = client().get_object(Bucket=bucket, Key=objects["result"])["Body"].read()
    assert xmp.is_marked(kept)
    refused = {status_of_unsigned(bucket, key) for key in objects.values()}
    assert refused == {HTTPStatus.FORBIDDEN}
    # That no request of the browser left for another host is held by ``new_visitor``.
    assert not (site.folder / "media").exists()


@pytest.mark.parametrize(
    ("source", "target", "photo"),
    [(NO_FACE, TARGET, "face photo"), (SOURCE, NO_FACE, "target photo")],
)
def test_a_photo_without_a_face_is_named_and_costs_nothing(
    alice: Visitor, source: Path, target: Path, photo: str
) -> None:
    left = alice.swaps_left()
    page = alice.open("/swaps/new/")

    request_in_browser(page, source, target)

    expect(page.get_by_role("heading", name="This swap was not possible")).to_be_visible()
    said = page.get_by_role("article")
    expect(said).to_contain_text(f"No face was found in the {photo}")
    expect(said).to_contain_text("This swap was not counted")
    assert alice.swaps_left() == left


def test_deleting_takes_the_objects_out_of_the_bucket(alice: Visitor, bucket: str) -> None:
    swap = alice.wait_for(alice.request_swap())
    assert len(objects_of(bucket, swap)) == 12  # three pictures, each in four sizes

    page = alice.open(f"/swaps/{swap}/")
    page.get_by_text("Delete…").click()
    alice.follow(page.get_by_role("button", name="Delete for good"))

    expect(page.get_by_text("Deleted, with all its pictures.")).to_be_visible()
    assert wait_until(lambda: objects_of(bucket, swap) == {})


def test_while_the_provider_is_gone_swaps_wait_and_then_go_on_by_themselves(
    alice: Visitor, provider: RunningSite
) -> None:
    with provider.gone():
        others = [alice.request_swap(), alice.request_swap()]
        page = alice.open("/swaps/new/")
        request_in_browser(page, SOURCE, OTHER)
        swap = alice.swaps()[0]
        page = alice.open("/swaps/")
        card = page.locator(f"#swap-{swap}")
        expect(card).to_contain_text("Waits for the service")
        detail = alice.context.new_page()
        detail.goto(f"{alice.site.url}/swaps/{swap}/")
        expect(detail.get_by_role("heading", name="Waiting for the service")).to_be_visible()
        expect(detail.get_by_role("article")).to_contain_text("goes on by itself")

    assert page.locator(f"#swap-{swap}.succeeded img.result").evaluate(SHOWN)
    expect(detail.get_by_role("heading", name="Your picture")).to_be_visible()
    for other in others:
        alice.wait_for(other)


def test_a_swap_that_the_provider_took_before_it_crashed_is_finished_too(
    alice: Visitor, provider: RunningSite
) -> None:
    with provider.resting_worker():
        swap = alice.request_swap()
        alice.wait_for(swap, "processing")
        taken = f"swap={swap} taken by the provider"
        assert wait_until(lambda: taken in alice.site.read_log())
        with provider.gone():
            pass
    alice.wait_for(swap)


def test_a_photo_that_the_provider_cannot_fetch_fails_the_swap_at_no_cost(
    alice: Visitor, provider: RunningSite, bucket: str
) -> None:
    left = alice.swaps_left()
    with provider.resting_courier():
        swap = alice.request_swap()
        taken = f"swap={swap} taken by the provider"
        assert wait_until(lambda: taken in alice.site.read_log())
        client().delete_object(Bucket=bucket, Key=objects_of(bucket, swap)["source"])
    alice.wait_for(swap, "failed")
    assert alice.swaps_left() == left


def test_no_log_holds_a_key_a_token_or_a_signature(
    alice: Visitor, site: RunningSite, provider: RunningSite, key: str
) -> None:
    """Of everything that the tests of this package did, and of one more swap."""
    swap = alice.wait_for(alice.request_swap())
    ask = f"import uuid; from swaps import links; print(links.callback_url(uuid.UUID('{swap}')))"
    callback_url = site.run(ask)
    token = callback_url.rpartition("/callbacks/")[2].partition(":")[
        0
    ]  # but for time and signature
    assert len(token) > len(swap)

    assert wait_until(lambda: "/callbacks/***" in site.read_log())
    assert wait_until(lambda: "/files/***" in provider.read_log())
    for log in (site.read_log(), provider.read_log()):
        assert key not in log
        assert token not in log
        assert "X-Amz-" not in log
        assert TOKEN.findall(log) == []
