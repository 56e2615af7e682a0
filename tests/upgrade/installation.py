"""An installation of commit 80976fa, as it was when it was stopped for an upgrade.

``fill_80976fa.py`` has made the archive: rows, queue and media, and the facts that its people know.
"""

import datetime
import json
import re
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.running_site import RunningSite

ARCHIVE = Path(__file__).with_name("version_80976fa.tar.xz")
PAUSE = datetime.timedelta(minutes=2)  # for which it was stopped: its leases are over
# As both databases write them. What never comes is written as a day in the year 9999.
TIME = re.compile(r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")


@dataclass(frozen=True)
class Installation:
    """The archive. ``facts`` are ids, links, keys and shown texts, with the addresses of today."""

    addresses: Mapping[str, str]  # of site, provider and receiver

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self._moved(_read("facts.json")))
        return facts

    def unpack(self, site: RunningSite) -> None:
        """Unpack it into a site's folder and its empty database."""
        with tarfile.open(ARCHIVE) as archive:
            media = [entry for entry in archive if entry.name.startswith("media")]
            archive.extractall(site.folder, media, filter="data")
        if url := site.environment["DATABASE_URL"]:
            with psycopg.connect(url) as database:
                database.execute(self._rows("postgresql.sql").encode())
            return
        with closing(sqlite3.connect(site.folder / "db.sqlite3")) as database:
            database.executescript(self._rows("sqlite.sql"))

    def _rows(self, name: str) -> str:
        filled_at = datetime.datetime.fromisoformat(self.facts["filled_at"])
        passed = datetime.datetime.now(datetime.UTC) - PAUSE - filled_at
        return TIME.sub(
            lambda found: str(datetime.datetime.fromisoformat(found.group()) + passed),
            self._moved(_read(name)),
        )

    def _moved(self, text: str) -> str:
        """Replace the recorded address by today's: ports are taken as they are free."""
        for name, old in json.loads(_read("facts.json"))["addresses"].items():
            text = text.replace(old, self.addresses[name])
        return text


def _read(name: str) -> str:
    with tarfile.open(ARCHIVE) as archive:
        file = archive.extractfile(name)
        assert file
        return file.read().decode()
