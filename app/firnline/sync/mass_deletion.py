"""The guard against mass deletions (docs/design.md section 7, *Safety*).

A pass that would delete half of a folder or more, and at least ten files, waits for the user's
answer, whether the files are gone here or were deleted by other devices. A directory of the
folder's first level that goes as a whole, with ten files or more, counts as well. Moves do not.

Everything here is pure; `sync.deletion_guard` asks the folder's log and tables.
"""

MASS_DELETION = "mass deletion"
"""The kind of question."""
HERE, ELSEWHERE = "here", "elsewhere"
"""Its subjects, and `side` in its details: where the files were deleted."""
DELETE, KEEP = "delete", "keep"
"""Its choices."""
