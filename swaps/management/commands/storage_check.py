"""manage.py storage_check: test the store and explain what is wrong with it."""

import contextlib
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from swaps import links, storage
from swaps.storage import check


class Command(BaseCommand):
    help = (
        "Store a small file, show it by its URL, delete it, and see that strangers get nothing. "
        "Says in words what is wrong."
    )
    requires_system_checks = ()
    stealth_options = ("expiry",)

    def handle(self, *args: Any, expiry: check.Expiry | None = None, **options: Any) -> None:
        key = check.new_key()
        place, steps, explain = self._plan(default_storage, key, expiry or check.Expiry())
        self.stdout.write(place)
        try:
            failed = self._run(steps, explain)
        finally:
            with contextlib.suppress(Exception):  # what is wrong with the store was said already
                storage.delete([key])
        if failed:
            raise CommandError("The site cannot use this store as it is.")
        self.stdout.write("The store is well.")

    def _run(self, steps: list[check.Step], explain: check.Explain) -> int:
        """Run the steps and print their outcomes; return how many failed."""
        failed = 0
        for outcome in check.run(steps, explain):
            mark = "✓" if outcome.is_kept else "✗"
            words = f": {outcome.message}" if outcome.message else ""
            self.stdout.write(f"{mark} {outcome.promise}{words}")
            self.stdout.flush()
            failed += not outcome.is_kept
        return failed

    def _plan(
        self, store: Any, key: str, expiry: check.Expiry
    ) -> tuple[str, list[check.Step], check.Explain]:
        """Return a store's name for people, its steps, and what explains its errors."""
        if isinstance(store, storage.DiskStorage):
            steps = check.disk_steps(_fetch_from_this_site, key, expiry)
            return f"The folder {settings.MEDIA_ROOT}", steps, check.explain_disk_error
        from swaps.storage import check_s3, s3_errors  # botocore is large

        host_of = s3_errors.host_of
        place = f"The bucket {store.bucket_name} at {host_of(store.endpoint_url or '//AWS')}"
        if store.public_endpoint_url:
            place += f", for others at {host_of(store.public_endpoint_url)}"
        explain = partial(s3_errors.explain_error, store=store)
        return place, check_s3.bucket_steps(store, key, expiry), explain


def _fetch_from_this_site(url: str) -> check.StoreResponse:
    """Return what the view of a signed URL of this site would answer."""
    key = links.key_of_own_url(url)
    if not key:
        return check.StoreResponse(status=404)
    return check.StoreResponse(status=200, body=storage.read(key))
