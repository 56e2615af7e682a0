"""A worker that is killed in the middle of a swap costs time, and nothing else."""

from pathlib import Path

import pytest
from django.conf import settings

from tests.crash import LEASE_SECONDS, Outcome, survive_kills
from tests.running import database_url


@pytest.mark.django_db(transaction=True)
def test_every_swap_ends_well_and_is_charged_once(tmp_path: Path) -> None:
    environment = {
        "DATABASE_URL": database_url(),
        "FACESWAP_VAR": str(tmp_path),
        "FACESWAP_MODELS_DIR": str(settings.FACESWAP_MODELS_DIR),
        "FACESWAP_LEASE_SECONDS": str(LEASE_SECONDS),
    }

    outcome = survive_kills(swaps=5, kills=2, environment=environment)

    assert outcome == Outcome(
        swaps=5,
        kills=2,
        succeeded=5,
        spent=5,
        refunded=0,
        attempts=outcome.attempts,
        pictures=5,
        seconds=outcome.seconds,
    )
    assert sum(outcome.attempts) == 7
