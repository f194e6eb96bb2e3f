"""The words of questions: from the facts of a question to a text, and what each choice does.

Names in the words are as they are: whoever shows them makes them harmless.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firnline.state.questions import Question
from firnline.sync.burst_guard import APPLY, BURST, UNDO
from firnline.sync.mass_deletion import DELETE, HERE, KEEP, MASS_DELETION

Details = Mapping[str, Any]
_MOST_DEVICES = 3


@dataclass(frozen=True, slots=True)
class KindWords:
    """One kind of question. The choices' names are a contract with other programs."""

    text: Callable[[Details], str]
    choices: Mapping[str, str]


def question_line(question: Question, folder_name: str) -> str:
    """What waits in a folder, and how to answer, in one line."""
    words = KIND_WORDS[question.kind]
    ways = " or ".join(f"`firnline answer {question.id} {choice}`" for choice in words.choices)
    return f"{folder_name}: {words.text(question.details)}. Decide: {ways}."


def _mass_deletion(details: Details) -> str:
    files = _count(details["files"], "file")
    of = f"{files} of {details['of']:,}"
    examples = ", ".join(details["examples"])
    if details["side"] == HERE:
        return f"{of} are gone from this folder and the other devices were not told: {examples}"
    return f"{of} were deleted by {_devices(details)} and are still here: {examples}"


def _burst(details: Details) -> str:
    files = _count(details["files"], "file")
    return (
        f"device {details['device']!r} replaced {files} within minutes by what looks encrypted, as"
        f" malware does it; not applied here: {', '.join(details['examples'])}"
    )


def _devices(details: Details) -> str:
    """Who did it, as far as the question knows."""
    known = details.get("devices", [])
    names = [f"device {name!r}" for name in known[:_MOST_DEVICES]]
    if len(known) > _MOST_DEVICES:
        names.append("others")
    if not names:
        return "other devices"
    first = ", ".join(names[:-1])
    return f"{first} and {names[-1]}" if first else names[-1]


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"


KIND_WORDS = {
    MASS_DELETION: KindWords(
        _mass_deletion,
        {
            DELETE: "delete them on every device; their history stays",
            KEEP: "bring them back, on every device",
        },
    ),
    BURST: KindWords(
        _burst,
        {
            APPLY: "take these changes: they were made on purpose",
            UNDO: "bring back the versions before, on every device; the others stay in the history",
        },
    ),
}
