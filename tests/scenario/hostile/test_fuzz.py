"""The fuzzers, for a few seconds.

A long run by hand: FIRNLINE_FUZZ is the number of inputs for each parser (a tenth of it for whole
passes), FIRNLINE_FUZZ_SEED begins with that seed; what fails names its own.
"""

import os
import tracemalloc
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from tests.chance import fresh_seed
from tests.scenario.hostile.fuzz_parsers import TARGETS, Target, fuzz, settings_target
from tests.scenario.hostile.fuzz_stores import attack, make_world

PARSED = int(os.environ.get("FIRNLINE_FUZZ", "300"))
ATTACKED = PARSED // 10
FIRST_SEED = int(os.environ.get("FIRNLINE_FUZZ_SEED") or fresh_seed())
MOST_MEMORY = 64 * 2**20


@pytest.mark.timeout(30 + PARSED // 10)
@pytest.mark.parametrize("name", [*TARGETS, "settings"])
def test_parsers_raise_their_own_errors_only(
    tmp_path: Path, tally: Counter[str], name: str
) -> None:
    """Mutated input is understood or refused, in bounded memory."""
    target: Target = TARGETS[name] if name in TARGETS else settings_target(tmp_path)
    for valid in target.seeds:
        target.parse(valid)
    tracemalloc.start()
    for seed_number in range(FIRST_SEED, FIRST_SEED + PARSED):
        fuzz(target, seed_number)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    tally["mutated inputs"] += PARSED
    assert peak < MOST_MEMORY


@pytest.mark.timeout(30 + PARSED // 10)
def test_passes_over_mutated_stores(memory_disk: Path, tally: Counter[str]) -> None:
    """Whatever was changed in a store: no crash, nothing outside touched, nothing taken for
    deleted."""
    make_world(memory_disk / "world")
    for seed in range(FIRST_SEED, FIRST_SEED + ATTACKED):
        try:
            attack(memory_disk / "world", memory_disk / str(seed), Random(seed))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        tally["mutated stores"] += 1
