"""Where a profile keeps what this device keeps: settings, state, home store, logs, lock.

Nothing is created by naming places; `Places.prepare` does that.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from firnline.config.private_files import make_private_directory
from firnline.core.steps import Steps, no_steps

PROFILE_VARIABLE = "FIRNLINE_PROFILE"
"""The environment variable that stands for `--profile`."""


class Places(NamedTuple):
    """The absolute paths of one profile."""

    config_file: Path
    state: Path
    """Directory of the database."""
    home_store: Path
    """Base of the home store."""
    logs: Path
    lock_file: Path

    @classmethod
    def of_profile(cls, directory: Path) -> "Places":
        """All under one directory, so that several devices can be played on one machine."""
        base = Path(os.path.abspath(directory))
        return cls(
            config_file=base / "config.toml",
            state=base / "state",
            home_store=base / "home",
            logs=base / "logs",
            lock_file=base / "lock",
        )

    @classmethod
    def of_system(cls) -> "Places":
        """Where this system wants them, for this user.

        The lock stands beside the state and not in the system's place for run-time files: that
        one depends on how the user logged in, and two of them would be two locks.
        """
        import platformdirs

        names = platformdirs.PlatformDirs("firnline", appauthor=False)
        return cls(
            config_file=names.user_config_path / "config.toml",
            state=names.user_state_path / "state",
            home_store=names.user_data_path / "home",
            logs=names.user_log_path,
            lock_file=names.user_state_path / "lock",
        )

    @classmethod
    def find(cls, profile_argument: str | None, environment: Mapping[str, str]) -> "Places":
        """The places that `--profile` names, else those of FIRNLINE_PROFILE, else the system's.

        A `~` at the front is the user's home directory. An empty variable counts as none.
        Raises ValueError for an empty `--profile`: it comes from a script whose variable was not
        set, and that must not end up in the user's own profile.
        """
        if profile_argument is not None and not profile_argument.strip():
            raise ValueError("--profile needs the name of a directory")
        chosen = profile_argument or environment.get(PROFILE_VARIABLE, "")
        if not chosen:
            return cls.of_system()
        return cls.of_profile(Path(os.path.expanduser(chosen)))

    @property
    def control(self) -> Path:
        """Directory of the socket at which the process that holds the profile takes commands."""
        return self.lock_file.parent / "control"

    @property
    def sealed_secrets(self) -> Path:
        """The file of secrets, where there is no keyring."""
        return self.state.parent / "secrets.sealed"

    def table(self, folder_id: str) -> Path:
        """The database of one folder."""
        return self.state / f"{folder_id}.db"

    def prepare(self, steps: Steps = no_steps) -> None:
        """Make every directory that is missing, 0700 each. Raises OSError."""
        for directory in (
            self.config_file.parent,
            self.lock_file.parent,
            self.state,
            self.home_store,
            self.logs,
        ):
            make_private_directory(directory, steps)
