"""Which of a test's repetitions the coverage is measured over.

Python 3.11 calls the tracer for every line, in our code and in everybody else's, which makes a test
take up to twice its time. What the hundredth example of a property has not reached, the other four
hundred hardly reach: so the first hundred are measured, and the rest run at full speed. What runs
stays the same, with or without coverage.
"""

from collections.abc import Callable, Generator
from functools import wraps
from typing import Any

import pytest
from coverage import Coverage

MEASURED = 100
"""Examples of each property."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, object]:
    """Measures the first examples of a property, and nothing more until its end."""
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    coverage = Coverage.current()
    if handle is None or coverage is None:
        return (yield)
    body = handle.inner_test
    share = Share(coverage, MEASURED)
    handle.inner_test = share.of(body)
    try:
        return (yield)
    finally:
        handle.inner_test = body
        share.end()


class Share:
    """Measures so many calls of a function, and pauses before the next."""

    def __init__(self, coverage: Coverage, calls: int) -> None:
        self._coverage = coverage
        self._left = calls
        self._paused = False

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def measured(*arguments: Any, **options: Any) -> Any:
            if not self._left and not self._paused:
                self._coverage.stop()
                self._paused = True
            self._left -= not self._paused
            return function(*arguments, **options)

        return measured

    def end(self) -> None:
        """Measures again, as before the first call."""
        if self._paused:
            self._coverage.start()
            self._paused = False
