"""What waits for the user: questions, the paths that each is about, and the answers.

A question is a view of what was observed. Whoever observes its cause asks again at each look: the
same set keeps its question, another set is another question with another id (so that no answer is
taken for more than what the user was shown), and a cause that is gone withdraws it. An answer
stays until it was carried out.

`QUESTION_TABLES` may stand in any database; a folder's state has it.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from firnline.core.clock import DateTime
from firnline.core.hashing import PLAIN
from firnline.core.paths import ancestors
from firnline.state.database import Database

QUESTION_TABLES = """
    -- What waits for the user's answer. answer: '' until it was given.
    CREATE TABLE questions (
        id TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        since TEXT NOT NULL,
        details TEXT NOT NULL,
        answer TEXT NOT NULL
    ) WITHOUT ROWID;

    -- The paths that a question is about, and the event on which each stood.
    CREATE TABLE asked (
        question TEXT NOT NULL,
        path TEXT NOT NULL,
        base TEXT NOT NULL,
        PRIMARY KEY (question, path)
    ) WITHOUT ROWID;
"""
_ID_LENGTH = 8
_COLUMNS = "id, kind, subject, since, details, answer"


class Question(NamedTuple):
    """One thing to decide. Of each kind and subject at most one is open."""

    id: str
    kind: str
    """A stable word for programs."""
    subject: str
    """Tells questions of one kind apart, for the program only."""
    since: DateTime
    """When it was asked first, however often it has grown since."""
    details: Mapping[str, Any]
    """Facts that the words are made of; JSON."""
    answer: str = ""
    """The choice; '' while the question is open."""

    @property
    def is_open(self) -> bool:
        return not self.answer


class QuestionTable:
    """The questions of one database. All writes happen inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    def all(self) -> list[Question]:
        """Open ones and those whose answer is still to be carried out, the oldest first."""
        rows = self._sql.execute(f"SELECT {_COLUMNS} FROM questions ORDER BY since, id")
        return [_question(row) for row in rows]

    def open(self) -> list[Question]:
        """Those that wait for an answer."""
        return [question for question in self.all() if question.is_open]

    def of(self, kind: str, subject: str) -> list[Question]:
        """The open one, and answered ones that are still to be carried out."""
        return [q for q in self.all() if (q.kind, q.subject) == (kind, subject)]

    def asked(self, question_id: str) -> dict[str, str]:
        """The paths that a question is about, each with the event on which it stood."""
        rows = self._sql.execute("SELECT path, base FROM asked WHERE question=?", (question_id,))
        return dict(rows.fetchall())

    def is_about(self, question_id: str, heads: Iterable[str]) -> bool:
        """True when one of its paths is among these or below one of them."""
        row = self._sql.execute(
            "SELECT 1 FROM json_each(:heads) w"
            " WHERE EXISTS (SELECT 1 FROM asked WHERE question=:id AND path=w.value)"
            " OR EXISTS (SELECT 1 FROM asked WHERE question=:id"
            " AND path > w.value || '/' AND path < w.value || '0') LIMIT 1",
            {"heads": json.dumps(list(heads)), "id": question_id},
        ).fetchone()
        return row is not None

    def is_any_about(self, paths: Collection[str]) -> bool:
        """True when some question is about one of these paths, or one above or below it."""
        if not paths:
            return False
        above = {directory for path in paths for directory in ancestors(path)}
        row = self._sql.execute(
            "SELECT 1 FROM questions q CROSS JOIN json_each(?) w"
            " CROSS JOIN asked a ON a.question=q.id AND a.path=w.value LIMIT 1",
            (json.dumps([*paths, *above]),),
        ).fetchone()
        return row is not None or any(self.is_about(each.id, paths) for each in self.all())

    def ask(
        self,
        kind: str,
        subject: str,
        now: DateTime,
        details: Mapping[str, Any],
        asked: Mapping[str, str],
    ) -> Question:
        """Take the place of the open question of this kind and subject, if there is one."""
        since = min((q.since for q in self.of(kind, subject) if q.is_open), default=now)
        self.withdraw(kind, subject)
        text = json.dumps(details, sort_keys=True)
        facts = repr((kind, subject, since, text, sorted(asked.items())))
        digest = PLAIN.data(facts.encode("utf-8", "backslashreplace"))
        question = Question(digest[:_ID_LENGTH], kind, subject, since, dict(details))
        self._sql.execute(
            "INSERT INTO questions VALUES (?,?,?,?,?,'')",
            (question.id, kind, subject, since, text),
        )
        self._sql.executemany(
            "INSERT INTO asked VALUES (?,?,?)",
            ((question.id, path, base) for path, base in asked.items()),
        )
        return question

    def withdraw(self, kind: str, subject: str) -> None:
        """The cause of the open question is gone; answers stay."""
        for question in self.of(kind, subject):
            if question.is_open:
                self.drop(question.id)

    def answer(self, question_id: str, choice: str) -> None:
        self._sql.execute("UPDATE questions SET answer=? WHERE id=?", (choice, question_id))

    def forget_asked(self, question_id: str, paths: Iterable[str]) -> None:
        """The answer was carried out there."""
        self._sql.executemany(
            "DELETE FROM asked WHERE question=? AND path=?", ((question_id, p) for p in paths)
        )

    def drop(self, question_id: str) -> None:
        """The question was dealt with, or is none any more."""
        self._sql.execute("DELETE FROM questions WHERE id=?", (question_id,))
        self._sql.execute("DELETE FROM asked WHERE question=?", (question_id,))


def _question(row: tuple[Any, ...]) -> Question:
    question_id, kind, subject, since, details, answer = row
    return Question(question_id, kind, subject, DateTime(since), json.loads(details), answer)
