"""Stores are read while nobody is kept from writing into the tables."""

from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.invariants import check_done, sync_until_rest
from tests.scenario.laptops import Laptop
from tests.scenario.store_faults import FOREVER

from firnline.state.folder_state import FolderState


@pytest.mark.parametrize("method", ["list", "read_small", "size", "open", "read"])
def test_reading_a_store_keeps_nobody_from_writing(tmp_path: Path, method: str) -> None:
    """Whatever a store takes its time for: another thread of this device can book what it did."""
    store = tmp_path / "store"
    anna, bert = (Laptop(tmp_path / name, name * 2, [store]) for name in ("anna", "bert"))
    for name in ("a", "b"):
        anna.write(f"one/{name}", name)
    anna.sync()
    bert.sync()
    anna.write("c", "c")
    anna.sync()
    anna.move("one", "two")
    anna.sync()
    anna.write("c", "cc")
    anna.sync()
    booked: list[str] = []

    def book() -> None:
        other = FolderState(bert.place / "state.db", patience=0.0)
        with other.transaction("beside"):
            other.set_fact("beside", str(len(booked)))
        other.close()
        booked.append(method)

    bert.wrap = lambda name, inner: (
        FaultyStore(inner, bert.clock, faults=[Fault(method, repeat=FOREVER, callback=book)])
        if name == "store"
        else inner
    )
    bert.sync()
    assert booked
    bert.wrap = lambda name, inner: inner
    sync_until_rest([anna, bert])
    assert bert.tree() == anna.tree() == {"two/a": "a", "two/b": "b", "c": "cc"}
    check_done([anna, bert])
