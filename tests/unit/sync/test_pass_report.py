"""What a quick pass keeps of what earlier passes told."""

from firnline.folder.ignore import IGNORE_FILE
from firnline.sync.context import OTHER_NAME, Problem
from firnline.sync.pass_report import CLOCK, FULL, HOME_STORE, PassReport, keep_earlier

HERE = Problem("seen", "unreadable", "now")
KEPT = [
    Problem("elsewhere", "unreadable", "before"),
    Problem("", "store set back", "before", "nas"),
    Problem("", CLOCK, "before"),
]
TOLD_AGAIN = [
    Problem("seen", "unreadable", "before"),
    Problem(IGNORE_FILE, "ignore pattern", "before"),
    Problem("", FULL, "before", "nas"),
    Problem("", "pending event", "before"),
    Problem("", "refused event", "before"),
    Problem("", "store refuses", "before", "nas"),
    Problem("", HOME_STORE, "before"),
]
NOTICE = Problem("other", OTHER_NAME, "is called otherwise")


def test_what_nobody_looked_at_is_kept() -> None:
    """The rest was told anew by this pass if it is still so; nothing is told twice."""
    report = PassReport()
    report.problems = [HERE, KEPT[1]]
    keep_earlier(
        report, [*TOLD_AGAIN, *KEPT, NOTICE], lambda p: p.path == "seen", asked_again=[HOME_STORE]
    )
    assert report.problems == [HERE, KEPT[1], KEPT[0], KEPT[2]]
    assert report.notices == [NOTICE]
