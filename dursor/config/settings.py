"""Dursor's folders and the user's configuration."""

from __future__ import annotations

import difflib
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dursor.config import options
from dursor.config.edit import set_value
from dursor.errors import InternalError, UsageError
from dursor.files import hold_lock, replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "dursor"
PRICE = "US dollars per million tokens"
LIST = "dursor config list"


class Setting(NamedTuple):
    """A setting's value; its source is "environment NAME", "file" or "default"."""

    key: str
    value: Any
    source: str
    description: str


class Settings:
    """Dursor's folders and the configuration; the file is read when the first value is needed."""

    def __init__(self, env: Mapping[str, str], *, platform: str = sys.platform) -> None:
        self.env = env
        self._platform = platform

    @cached_property
    def data_dir(self) -> Path:
        """The folder of the database, keys, leases and clones."""
        return self._find_folder("DURSOR_DATA_DIR") or self._find_platform_dir("data")

    @cached_property
    def config_dir(self) -> Path:
        """The folder of config.toml."""
        return self._find_folder("DURSOR_CONFIG_DIR") or self._find_platform_dir("config")

    @cached_property
    def workspaces_dir(self) -> Path:
        """The folder of clones of URLs."""
        return self._find_folder("DURSOR_WORKSPACES_DIR") or self.data_dir / "workspaces"

    @property
    def config_file(self) -> Path:
        """The user's config.toml."""
        return self.config_dir / "config.toml"

    @property
    def database(self) -> Path:
        """The database file of the store."""
        return self.data_dir / "dursor.db"

    @property
    def journals(self) -> Path:
        """The folder of the journals that make an interrupted apply undoable."""
        return self.data_dir / "applying"

    def _find_folder(self, variable: str) -> Path | None:
        given = self.env.get(variable)
        if not given:
            return None
        if given == "~" or given.startswith("~/"):
            return find_home(self.env) / given[2:]
        return Path(given).absolute()

    def _find_platform_dir(self, kind: str) -> Path:
        """Return the folder that platformdirs gives for KIND ("data", "config").

        Importing platformdirs takes as long as starting Python, so Linux and macOS do without it.
        """
        if self._platform == "win32":
            import platformdirs

            find = platformdirs.user_data_path if kind == "data" else platformdirs.user_config_path
            return find(NAME, appauthor=False)
        given = self.env.get(f"XDG_{kind.upper()}_HOME", "")
        if given.startswith("/"):
            return Path(given) / NAME
        if self._platform == "darwin":
            return find_home(self.env) / "Library" / "Application Support" / NAME
        return find_home(self.env) / (".local/share" if kind == "data" else ".config") / NAME

    # values

    def get(self, key: str) -> Any:
        """Return the value of KEY; "prices" is the table of the user's prices by model."""
        return self.find(key).value

    def find(self, key: str) -> Setting:
        """Return the setting KEY; UsageError if it does not exist or its value is invalid."""
        if key == "prices":
            return self._read_prices()
        if (price := options.split_price_key(key)) is not None:
            return self._read_price(key, *price)
        option = _find_option(key)
        value, source = option.default, "default"
        if text := self.env.get(option.variable):
            source = f"environment {option.variable}"
            value = _parse(option, text, f"{source}: ", f"unset {option.variable}")
        elif key in self._file:
            hint, source = f"dursor config set {key} VALUE", "file"
            value = _parse(option, self._file[key], f"{self.config_file}: ", hint)
        return Setting(key, value, source, option.description)

    def find_all(self) -> list[Setting]:
        """Return every option and each price that the user has set."""
        prices = [
            self._read_price(f'prices."{model}".{field}', model, field)
            for model, fields in self._read_prices().value.items()
            for field in fields
        ]
        return [*map(self.find, options.OPTIONS), *prices]

    def set(self, key: str, text: str) -> Setting:
        """Write KEY to config.toml and leave the rest of the file unchanged."""
        price = options.split_price_key(key)
        path = (key,) if price is None else ("prices", *price)
        value = _parse(_find_option(key), text)
        with hold_lock(self.config_dir / ".config.lock"):
            self.__dict__.pop("_file", None)
            before, known = self._read() or "", self._file
            data = set_value(before, known, path, value, self.config_file)
            replace_file(self.config_file, data, mode=0o644)
            self.__dict__.pop("_file", None)
        return self.find(key)

    def _read_prices(self) -> Setting:
        source = "file" if "prices" in self._file else "default"
        try:
            value = options.parse_prices(self._file.get("prices", {}))
        except ValueError as error:
            fields = ", ".join(options.PRICE_FIELDS)
            raise UsageError(
                f"{self.config_file}: prices must be {PRICE} under {fields}",
                hint="dursor config set 'prices.\"MODEL\".output' USD",
            ) from error
        return Setting("prices", value, source, PRICE)

    def _read_price(self, key: str, model: str, field: str) -> Setting:
        value = self._read_prices().value.get(model, {}).get(field)
        source = "default" if value is None else "file"
        return Setting(key, value, source, PRICE)

    # the file

    @cached_property
    def _file(self) -> dict[str, Any]:
        text = self._read()
        try:
            return {} if text is None else parse_toml(text)
        except ValueError as error:
            raise self._explain_invalid(str(error)) from error

    def _read(self) -> str | None:
        try:
            return self.config_file.read_bytes().decode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise self._explain_invalid("not UTF-8 text") from error
        except OSError as error:
            raise InternalError(
                f"cannot read {self.config_file}: {error.strerror}",
                hint=f"ls -ld {self.config_file}",
            ) from error

    def _explain_invalid(self, reason: str) -> UsageError:
        file = self.config_file
        return UsageError(f"{file} is not valid TOML: {reason}", hint=f"$EDITOR {file}")


def find_home(env: Mapping[str, str]) -> Path:
    """Return HOME, else the folder that the system has for the user; UsageError without either."""
    given = env.get("HOME", "")
    if given and not Path(given).is_absolute():
        raise _explain_no_home(f"HOME is {given!r}, which is not an absolute path")
    home = Path(given) if given else _read_home()
    if home is None or not home.is_absolute():
        raise _explain_no_home("HOME is not set")
    return home


def _read_home() -> Path | None:
    """Read the user database; `Path.home()` takes an empty HOME for the root folder."""
    if sys.platform == "win32":
        return Path.home()
    import pwd  # noqa: PLC0415 - rarely needed, and Windows lacks it

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def _explain_no_home(why: str) -> UsageError:
    return UsageError(
        f"cannot find the home folder: {why}",
        hint="export DURSOR_DATA_DIR=FOLDER DURSOR_CONFIG_DIR=FOLDER",
    )


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TEXT; the ValueError gives the reason and the line number in one line."""
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
    except ValueError as error:
        lines = max(1, len(text.splitlines()))
        reason = str(error).replace("at end of document", f"at line {lines}, the last")
        raise ValueError(" ".join(reason.split())[:200]) from error


def _find_option(name: str) -> options.Option:
    if (option := options.OPTIONS.get(name)) is not None:
        return option
    if options.split_price_key(name):
        return options.Option(name, None, PRICE, PRICE, options.parse_price)
    close = difflib.get_close_matches(name, options.OPTIONS, 1)
    hint = f"did you mean {close[0]}?" if close else LIST
    if name.startswith("prices"):
        hint = f'prices."MODEL".{"|".join(options.PRICE_FIELDS)}'
    raise UsageError(f"setting {name} does not exist", hint=hint)


def _parse(option: options.Option, raw: Any, source: str = "", hint: str = LIST) -> Any:
    try:
        return option.parse(raw)
    except ValueError as error:
        message = f"{source}{option.name} must be {option.accepts}, not {raw!r}"
        raise UsageError(message, hint=hint) from error
