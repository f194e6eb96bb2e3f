"""What was asked for while a job ran is one job."""

from hypothesis import given
from hypothesis import strategies as st

from firnline.engine.live.wanted import Wanted
from firnline.sync.scope import WHOLE, Scope


def test_nothing_is_wanted_at_first_and_after_taking() -> None:
    wanted = Wanted()
    assert not wanted
    wanted.look_at({"a"})
    assert wanted
    wanted.take()
    assert not wanted
    assert wanted.take() == Scope(frozenset(), {})


def test_requests_are_joined() -> None:
    """Paths with paths, names with names of the same store."""
    wanted = Wanted()
    wanted.look_at({"a", "b"})
    wanted.take_in("nas", {"1"})
    wanted.look_at({"b", "c"})
    wanted.take_in("nas", {"2"})
    wanted.take_in("usb", {"3"})
    names = {"nas": frozenset("12"), "usb": frozenset("3")}
    assert wanted.take() == Scope(frozenset("abc"), names)


def test_listing_says_more_than_names() -> None:
    """Whatever comes first, the store is listed."""
    wanted = Wanted()
    wanted.take_in("nas", {"1"})
    wanted.list_store("nas")
    wanted.take_in("nas", {"2"})
    assert wanted.take() == Scope(frozenset(), {"nas": None})


def test_everything_covers_the_rest() -> None:
    """It is a whole pass, whatever else was asked for before and after."""
    wanted = Wanted()
    wanted.look_at({"a"})
    wanted.everything()
    wanted.list_store("nas")
    wanted.take_in("usb", {"1"})
    wanted.look_at({"b"})
    assert wanted.take() == WHOLE


@given(st.lists(st.sampled_from(["path", "names", "list", "all"])))
def test_nothing_is_lost(asked: list[str]) -> None:
    """Each request is covered by what is taken."""
    wanted = Wanted()
    for number, kind in enumerate(asked):
        if kind == "path":
            wanted.look_at({str(number)})
        elif kind == "names":
            wanted.take_in("nas", {str(number)})
        elif kind == "list":
            wanted.list_store("nas")
        else:
            wanted.everything()
    paths, news, _ = wanted.take()
    for number, kind in enumerate(asked):
        if kind == "path":
            assert paths is None or str(number) in paths
        elif kind == "names" and news is not None:
            names = news["nas"]
            assert names is None or str(number) in names
        elif kind == "list":
            assert news is None or news["nas"] is None
        elif kind == "all":
            assert (paths, news) == (None, None)
