"""The home: the one folder that holds everything a user owns.

`UNDERSTUDY_HOME`, or the platform's user data folder. What ships with the program is read-only;
what is edited, said or learnt lies here.
"""

from dataclasses import dataclass
from pathlib import Path

import platformdirs

from db.errors import StoreUnwritable


class HomeUnwritable(StoreUnwritable):
    """The home cannot be written."""


@dataclass(frozen=True)
class Home:
    """Paths inside the home; folders are made when first asked for."""

    root: Path

    @classmethod
    def find(cls, environment: dict[str, str]) -> "Home":
        """The home the environment names, else the platform's place for user data."""
        named = environment.get("UNDERSTUDY_HOME")
        return cls(Path(named).expanduser() if named else Path(platformdirs.user_data_dir("understudy")))

    def folder(self, name: str) -> Path:
        """One of the home's folders (sheets, worlds, models, logs, …), made if missing.

        Raises:
            HomeUnwritable: it cannot be made.
        """
        path = self.root / name
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeUnwritable(
                f"The folder {path} cannot be made ({error.strerror}); set UNDERSTUDY_HOME to a folder of yours."
            ) from error
        return path

    @property
    def settings_file(self) -> Path:
        """understudy.toml."""
        return self.root / "understudy.toml"

    @property
    def database_url(self) -> str:
        """The default database."""
        return f"sqlite:///{self.root / 'db.sqlite'}"

