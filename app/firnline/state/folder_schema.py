"""The tables of one folder's state, as ordered migrations. Never edit one that was released.

What is kept are observations (events seen, files seen, what each file came from), and the work
that is left follows from them; `dirty` and `lacking` are indexes over that, kept so that a pass
with nothing to do reads nothing.
"""

from firnline.state.questions import QUESTION_TABLES

MIGRATIONS = (
    """
    -- Every event name that was ever seen. state: see journal.EventState.
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        ref TEXT NOT NULL,
        size INTEGER NOT NULL,
        state INTEGER NOT NULL,
        why TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX events_ref ON events (ref);
    CREATE INDEX events_unfinished ON events (state) WHERE state != 1;

    -- What each event does to each path (core.entry.Entry), the history of a path side by side.
    CREATE TABLE entries (
        path TEXT NOT NULL,
        event INTEGER NOT NULL,
        op TEXT NOT NULL,
        kind TEXT NOT NULL,
        hash TEXT NOT NULL,
        flags TEXT NOT NULL,
        parent TEXT NOT NULL,
        other TEXT,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        "offset" INTEGER,
        PRIMARY KEY (path, event)
    ) WITHOUT ROWID;
    CREATE INDEX entries_event ON entries (event);
    CREATE INDEX entries_body ON entries (hash) WHERE "offset" IS NOT NULL;
    -- Moves and copies that were read before the event whose content they name.
    CREATE INDEX entries_unsized ON entries (hash)
        WHERE size = 0 AND op IN ('mov', 'cpy') AND kind != '-';

    -- What this device last had at each path, and the event it came from. kind '-': applied as
    -- deleted. Columns size to inode are the local file's.
    CREATE TABLE files (
        path TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        hash TEXT NOT NULL,
        flags TEXT NOT NULL,
        base TEXT NOT NULL,
        local TEXT,
        -- base was the only head of the path's log when this was written: true for nearly all, and
        -- still so unless the path is dirty or named by an event that is.
        straight INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE INDEX files_directories ON files (path) WHERE kind = 'd';

    -- Paths whose log and local file may differ: to be resolved and applied.
    CREATE TABLE dirty (path TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
    -- Batches of which every path is dirty.
    CREATE TABLE dirty_events (event INTEGER PRIMARY KEY);

    -- Copies of moves that look like conflict copies: where open conflicts are looked for.
    CREATE TABLE conflict_copies (path TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;

    -- Events that a store is not known to have (status 0); all others it has (status 2). wrong: a
    -- file stands there under the name, but not the whole event: a listing says nothing of it.
    CREATE TABLE lacking (
        store TEXT NOT NULL,
        event INTEGER NOT NULL,
        wrong INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (store, event)
    ) WITHOUT ROWID;

    -- Event files that stand in the home store. whole: written while no store was in reach.
    CREATE TABLE held (event INTEGER PRIMARY KEY, whole INTEGER NOT NULL);

    CREATE TABLE stores (
        store TEXT NOT NULL PRIMARY KEY,
        generation TEXT NOT NULL,
        listed TEXT NOT NULL,
        listed_all TEXT NOT NULL,
        junk INTEGER NOT NULL
    );
    CREATE TABLE hints (
        store TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (store, name)
    ) WITHOUT ROWID;
    CREATE TABLE hint_files (
        store TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (store, name)
    ) WITHOUT ROWID;

    -- Parents that are named and unknown, and since when (rule 7).
    CREATE TABLE orphans (ref TEXT NOT NULL PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;

    -- What applying is about to do. Settled before any scan and any apply.
    CREATE TABLE intents (
        id INTEGER PRIMARY KEY,
        action TEXT NOT NULL,
        path TEXT NOT NULL,
        other TEXT,
        kind TEXT NOT NULL,
        hash TEXT NOT NULL,
        flags TEXT NOT NULL,
        base TEXT NOT NULL
    );

    -- Saves that slipped in while a file was being replaced: content kept aside, and its base.
    CREATE TABLE rescued (
        kept TEXT NOT NULL PRIMARY KEY,
        path TEXT NOT NULL,
        base TEXT NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """,
    QUESTION_TABLES,
    """
    -- Local names of path parts that this device's file system cannot hold as they are. A pair
    -- holds in every directory, and is here before the first file is called so.
    CREATE TABLE aliases (local TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
    """,
    """
    -- When this device last had news of the event, in seconds since 1970; whether it was found
    -- while a store was first read in; how often it was tried in vain, when to try it again.
    ALTER TABLE lacking ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE lacking ADD COLUMN first_read INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE lacking ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE lacking ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;
    """,
    """
    -- Dirty paths that wait for the user, moved here from `dirty` when nothing was new about them;
    -- one that stands in both is fresh.
    CREATE TABLE resting (path TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
    CREATE VIEW all_dirty AS SELECT path FROM dirty
        UNION ALL SELECT r.path FROM resting r
        WHERE NOT EXISTS (SELECT 1 FROM dirty d WHERE d.path=r.path);
    """,
    """
    -- What was made on top of something that stood there: where a burst is looked for.
    CREATE INDEX entries_closing ON entries (event)
        WHERE parent != '0' AND (op = 'del' OR "offset" IS NOT NULL);
    """,
)
