"""What holds for every test: hypothesis profiles, counts of what was tried, what of it is measured
(tests/measuring.py), a profile of its own, and a log in which nothing unexpected stands.

Hypothesis: profile `ci` where the environment says CI, else `dev`; another by --hypothesis-profile.
Neither has a deadline, since no test here depends on how busy the machine is. `ci` tries the same
examples each time, so that it judges a change and not its luck; `dev` tries new ones in each run,
and what failed is printed as a blob to repeat it by.
"""

import gc
import logging
import os
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.statistics import collector
from hypothesis.utils.dynamicvariables import DynamicVariable

from tests import measuring
from tests.log_watch import LogWatch, complaints
from tests.servers.keyring import _gnome_keyring, gnome_keyring
from tests.servers.s3_stores import rclone_s3, seaweedfs
from tests.servers.sftp_stores import openssh, rclone_sftp
from tests.servers.webdav_stores import apache, nginx, rclone_webdav, wsgidav

# Fixtures for all tests.
__all__ = [
    "_gnome_keyring",
    "apache",
    "gnome_keyring",
    "nginx",
    "openssh",
    "rclone_s3",
    "rclone_sftp",
    "rclone_webdav",
    "seaweedfs",
    "wsgidav",
]

for name, examples in (("dev", 100), ("ci", 500)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        derandomize=name == "ci",
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("ci" if os.environ.get("CI") else "dev")

EXAMPLES = pytest.StashKey[Counter[str]]()
TALLY = pytest.StashKey[Counter[str]]()
COUNTS = {"examples": EXAMPLES, "tally": TALLY}


@pytest.fixture(autouse=True, scope="session")
def _own_profile(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """No test touches the profile of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRNLINE_PROFILE", str(tmp_path_factory.mktemp("profile")))
        yield


@pytest.fixture(autouse=True)
def _quiet_log(request: pytest.FixtureRequest) -> Generator[None]:
    """A warning or an error in the log fails the test, unless `mark.logs` expects it."""
    watch = LogWatch()
    root = logging.getLogger()
    root.addHandler(watch)
    yield
    root.removeHandler(watch)
    expected = [pattern for mark in request.node.iter_markers("logs") for pattern in mark.args]
    found = complaints(watch.said, expected)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    for key in COUNTS.values():
        config.stash[key] = Counter()
    config.pluginmanager.register(measuring)


@pytest.fixture
def tally(request: pytest.FixtureRequest, no_cover: None) -> Counter[str]:
    """What was tried, by kind: for the summary at the end. A test that tries the same so often is
    not measured (tests/measuring.py)."""
    return request.config.stash[TALLY]


def pytest_collection_finish() -> None:
    """The tests themselves are garbage at no time: to look through them again and again would take
    a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands its counts to the one that prints them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        for name, key in COUNTS.items():
            counts = session.config.stash[key]
            output[name] = dict(counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The counts of a process that is done; one that died has none."""
    for name, counts in getattr(node, "workeroutput", {}).items():
        if name in COUNTS:
            node.config.stash[COUNTS[name]].update(counts)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Counts, closest to the test, what hypothesis then tells its own plugin."""
    variable = cast("DynamicVariable[Callable[[Mapping[str, Any]], None] | None]", collector)
    inner = variable.value

    def note(statistics: Mapping[str, Any]) -> None:
        item.config.stash[EXAMPLES][item.nodeid] += count_examples(statistics)
        if inner is not None:
            inner(statistics)

    with variable.with_value(note):
        return (yield)


def count_examples(statistics: Mapping[str, Any]) -> int:
    """Examples that ran through the property, without those that `assume` or a filter refused."""
    phases = [value for key, value in statistics.items() if key.endswith("-phase")]
    cases = [case for phase in phases for case in phase["test-cases"]]
    return sum(case["status"] in ("valid", "interesting") for case in cases)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    tried = ", ".join(f"{count:,} {kind}" for kind, count in sorted(config.stash[TALLY].items()))
    if tried:
        terminalreporter.write_line(f"tried: {tried}")
    counts = config.stash[EXAMPLES]
    if counts:
        terminalreporter.write_line(
            f"hypothesis: {counts.total():,} examples in {len(counts)} properties"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports go from process to process as UTF-8, whatever names a test wrote into its log."""
    report = yield
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    return report
