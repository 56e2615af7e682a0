"""An operator who goes back to the version before, and forth again."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from swaps.models import (
    Delivery,
    DeliveryAttempt,
    Detection,
    Provider,
    Status,
    Submission,
    Swap,
    User,
)

BEFORE = ("swaps", "0002_face_swap_api")


@pytest.mark.django_db(transaction=True)
def test_a_version_without_providers_takes_over_what_is_at_one() -> None:
    owner = User.objects.create_user("back@example.com", "a fine long pass phrase")
    lease_ends_at = timezone.now()
    statuses = (Status.QUEUED, Status.PROCESSING, Status.SUCCEEDED)
    hosted = [
        Swap.objects.create(owner=owner, provider=Provider.HOSTED, status=status)
        for status in statuses
    ]
    Submission.objects.create(swap=hosted[1])
    own = Swap.objects.create(owner=owner, status=Status.PROCESSING, lease_expires_at=lease_ends_at)
    apps = MigrationExecutor(connection).loader.project_state([BEFORE]).apps
    try:
        call_command("migrate", *BEFORE, verbosity=0)
        found = dict(apps.get_model("swaps", "Swap").objects.values_list("pk", "status"))
    finally:
        call_command("migrate", "swaps", verbosity=0)
    assert [found[swap.pk] for swap in hosted] == ["queued", "queued", "succeeded"]
    assert found[own.pk] == "processing"
    own.refresh_from_db()
    assert own.lease_expires_at == lease_ends_at
    assert not Swap.objects.filter(provider=Provider.HOSTED).exists()


@pytest.mark.django_db(transaction=True)
def test_a_version_without_codes_reads_the_words_and_ours_reads_those_again() -> None:
    owner = User.objects.create_user("back@example.com", "a fine long pass phrase")
    params = {"code": "bad_request.not_fetched", "name": "source"}
    params |= {"reason": {"code": "host.not_found"}}  # type: ignore[dict-item]
    swap = Swap.objects.create(owner=owner, status=Status.FAILED, error_params=params)
    delivery = Delivery.objects.create(
        swap=swap, owner=owner, url="https://a.example", error_params={"code": "delivery.gone"}
    )
    words = swap.error_text
    assert "source_image_url cannot be fetched. The host was not found." in words
    try:
        call_command("migrate", "swaps", "0004_second_look", verbosity=0)
    finally:
        call_command("migrate", "swaps", verbosity=0)
    swap.refresh_from_db()
    delivery.refresh_from_db()
    assert (swap.error_params, swap.error_message, swap.error_text) == (None, words, words)
    assert delivery.error_text == "The receiver answered with 410: it wants no more of this."


@pytest.mark.django_db(transaction=True)
def test_a_version_without_detections_delivers_none() -> None:
    owner = User.objects.create_user("back@example.com", "a fine long pass phrase")
    detection = Detection.objects.create(owner=owner, request={})
    swap = Swap.objects.create(owner=owner)
    for task in ({"detection": detection}, {"swap": swap}):
        delivery = Delivery.objects.create(owner=owner, url="https://a.example", **task)
        DeliveryAttempt.objects.create(delivery=delivery, started_at=timezone.now(), seconds=1)
    try:
        call_command("migrate", "swaps", "0006_quality", verbosity=0)
    finally:
        call_command("migrate", "swaps", verbosity=0)
    assert [delivery.swap for delivery in Delivery.objects.all()] == [swap]
    assert DeliveryAttempt.objects.count() == 1
