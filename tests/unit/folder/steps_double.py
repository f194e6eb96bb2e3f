"""Durable steps as a test wants them: counted, or with something done just before one of them."""

from collections.abc import Callable


class PowerCut(BaseException):
    """The process ends here. No Exception, so that nothing tidies up after it."""


class StepsDouble:
    """A `core.steps.Steps`."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self._number = 0
        self._action: Callable[[], object] | None = None

    def __call__(self, name: str) -> None:
        self.taken.append(name)
        if self._action is not None:
            self._number -= 1
            if self._number < 0:
                action, self._action = self._action, None
                action()

    def before(self, number: int, action: Callable[[], object]) -> None:
        """`action` happens once, just before the step of that number from here on (0: the next)."""
        self.taken.clear()
        self._number, self._action = number, action

    def cut_before(self, number: int) -> None:
        """The power goes just before that step."""

        def cut() -> None:
            raise PowerCut

        self.before(number, cut)

    @property
    def waiting(self) -> bool:
        """The action was not done: there were not so many steps."""
        return self._action is not None
