"""Benchmark of crashes: SIGKILL the worker during 10 of 30 swaps, and check results and quota."""

import dataclasses
import shutil
import sys

from bench import _setup


def main() -> None:
    lease_seconds = 4
    environment = _setup.prepare(FACESWAP_LEASE_SECONDS=str(lease_seconds))
    from tests.crash import survive_kills

    outcome = survive_kills(swaps=30, kills=10, environment=environment)
    figures = dataclasses.asdict(outcome) | {
        "attempts": f"{outcome.attempts.count(1)} x 1, {outcome.attempts.count(2)} x 2,"
        f" {outcome.attempts.count(3)} x 3",
        "seconds": round(outcome.seconds, 1),
        "lease_seconds": lease_seconds,
    }
    _setup.report("crash", figures)
    shutil.rmtree(environment["FACESWAP_VAR"], ignore_errors=True)
    all_well = outcome.succeeded == outcome.spent == outcome.pictures == outcome.swaps
    sys.exit(0 if all_well and outcome.kills == 10 else "Not all swaps ended well.")


if __name__ == "__main__":
    main()
