"""An operator who goes back to the version before, and forth again."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from swaps.models import Provider, Status, Submission, Swap, User

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
