"""Where things lie, and what the user has set."""

from __future__ import annotations

import difflib
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dursor.config import options, toml
from dursor.config.edit import set_value
from dursor.errors import InternalError, UsageError
from dursor.files import hold_lock, replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "dursor"


class Value(NamedTuple):
    """A key's value, and where it comes from: "environment NAME", "file" or "default"."""

    key: str
    value: Any
    source: str


class Settings:
    """The folders and the configuration; the file is read when a key is first asked for."""

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        home: Path | None = None,
        platform: str = sys.platform,
    ) -> None:
        self.env = env
        self._home = home
        self._platform = platform

    @cached_property
    def data_dir(self) -> Path:
        """Where the database, keys, leases and clones lie."""
        return self._folder("DURSOR_DATA_DIR") or self._platform_dir("data")

    @cached_property
    def config_dir(self) -> Path:
        """Where config.toml lies."""
        return self._folder("DURSOR_CONFIG_DIR") or self._platform_dir("config")

    @cached_property
    def workspaces_dir(self) -> Path:
        """Where clones of URLs lie."""
        return self._folder("DURSOR_WORKSPACES_DIR") or self.data_dir / "workspaces"

    @property
    def config_file(self) -> Path:
        """The user's configuration."""
        return self.config_dir / "config.toml"

    @property
    def database(self) -> Path:
        """The store."""
        return self.data_dir / "dursor.db"

    @property
    def journals(self) -> Path:
        """Where an apply writes down what it is about to do."""
        return self.data_dir / "applying"

    def _folder(self, variable: str) -> Path | None:
        given = self.env.get(variable)
        if not given:
            return None
        if given == "~" or given.startswith("~/"):
            return self._user_home() / given[2:]
        return Path(given).absolute()

    def _user_home(self) -> Path:
        return home_folder(self.env) if self._home is None else self._home

    def _platform_dir(self, kind: str) -> Path:
        """Find the user's folder for KIND ("data", "config") where platformdirs has it.

        Linux and macOS are answered here: importing platformdirs takes as long as Python itself.
        """
        if self._platform == "win32":
            import platformdirs

            find = platformdirs.user_data_path if kind == "data" else platformdirs.user_config_path
            return find(NAME, appauthor=False)
        given = self.env.get(f"XDG_{kind.upper()}_HOME", "")
        if given.startswith("/"):
            return Path(given) / NAME
        if self._platform == "darwin":
            return self._user_home() / "Library" / "Application Support" / NAME
        return self._user_home() / (".local/share" if kind == "data" else ".config") / NAME

    # values

    def get(self, key: str) -> Any:
        """Give the value of KEY; "prices" is the table of the user's own prices by model."""
        return self.value(key).value

    def value(self, key: str) -> Value:
        """Give KEY with its source; UsageError when there is no such key, or its value is bad."""
        if key == "prices":
            return self._prices()
        if (price := options.split_price_key(key)) is not None:
            return self._price(key, *price)
        found = _key(key)
        if self.env.get(found.variable):
            where, mend = f"environment {found.variable}", f"unset {found.variable}"
            return Value(key, self._parsed(found, self.env[found.variable], where, mend), where)
        if key in self._file:
            mend = f"dursor config set {key} VALUE"
            value = self._parsed(found, self._file[key], str(self.config_file), mend)
            return Value(key, value, "file")
        return Value(key, found.default, "default")

    def values(self) -> list[Value]:
        """Every key with its value, and each price that the user has set."""
        prices = [
            Value(f'prices."{model}".{field}', price, "file")
            for model, fields in self._prices().value.items()
            for field, price in fields.items()
        ]
        return [*(self.value(name) for name in options.OPTIONS), *prices]

    def unknown(self) -> list[str]:
        """Keys of the file that mean nothing, each with the close one if there is one."""
        found = [name for name in self._file if name not in options.OPTIONS and name != "prices"]
        return [f"{name!r}{_close(name, '; did you mean {}?')}" for name in found]

    def set(self, key: str, text: str) -> Value:
        """Write KEY to config.toml, leaving everything else in it as it is."""
        price = options.split_price_key(key)
        path = ("prices", *price) if price is not None else (_key(key).name,)
        value = _parse_price(key, text) if price is not None else _parse(_key(key), text)
        with hold_lock(self.config_dir / ".config.lock"):
            self.__dict__.pop("_file", None)
            known = self._file
            before = self._read() or ""
            replace_file(
                self.config_file,
                set_value(before, known, path, value, self.config_file),
                mode=0o644,
            )
            self.__dict__.pop("_file", None)
        return self.value(key)

    def _parsed(self, key: options.Option, raw: Any, where: str, mend: str) -> Any:
        try:
            return key.parse(raw)
        except ValueError as error:
            raise UsageError(
                f"{where}: {key.name} is {raw!r}, which is not {key.accepts}",
                hint=mend,
            ) from error

    def _prices(self) -> Value:
        if "prices" not in self._file:
            return Value("prices", {}, "default")
        try:
            return Value("prices", options.parse_prices(self._file["prices"]), "file")
        except ValueError as error:
            raise UsageError(
                f"{self.config_file}: prices holds something other than US dollars a million "
                f"tokens under {', '.join(options.PRICE_FIELDS)}",
                hint="dursor config set 'prices.\"MODEL\".output' USD",
            ) from error

    def _price(self, key: str, model: str, field: str) -> Value:
        known = self._prices().value.get(model, {})
        return Value(key, known.get(field), "file" if field in known else "default")

    # the file

    @cached_property
    def _file(self) -> dict[str, Any]:
        text = self._read()
        if text is None:
            return {}
        try:
            return toml.parsed(text)
        except ValueError as error:
            raise UsageError(
                f"{self.config_file} is broken: {error}", hint=f"$EDITOR {self.config_file}"
            ) from error

    def _read(self) -> str | None:
        try:
            return self.config_file.read_bytes().decode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise UsageError(
                f"{self.config_file} is broken: it is not UTF-8 text",
                hint=f"$EDITOR {self.config_file}",
            ) from error
        except OSError as error:
            raise InternalError(
                f"cannot read {self.config_file}: {error.strerror}",
                hint=f"ls -ld {self.config_file}",
            ) from error


def home_folder(env: Mapping[str, str]) -> Path:
    """Find the user's folder: HOME's, else the one the system knows; UsageError without any."""
    given = env.get("HOME", "")
    if given and not Path(given).is_absolute():
        raise _homeless(f"HOME is {given!r}, which is no absolute path")
    home = Path(given) if given else _known_home()
    if home is None or not home.is_absolute():
        raise _homeless("HOME is not set")
    return home


def _known_home() -> Path | None:
    """Ask the system; `Path.home()` takes an empty HOME for the root folder."""
    if sys.platform == "win32":
        return Path.home()
    import pwd  # noqa: PLC0415 - only an odd environment needs it, and Windows has none

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def _homeless(why: str) -> UsageError:
    return UsageError(
        f"there is no home folder: {why}",
        hint="export DURSOR_DATA_DIR=FOLDER DURSOR_CONFIG_DIR=FOLDER",
    )


def _key(name: str) -> options.Option:
    if (key := options.OPTIONS.get(name)) is not None:
        return key
    if name.startswith("prices"):
        raise UsageError(
            f"no such setting: {name}", hint=f'prices."MODEL".{"|".join(options.PRICE_FIELDS)}'
        )
    raise UsageError(
        f"no such setting: {name}", hint=_close(name, "did you mean {}?") or "dursor config list"
    )


def _close(name: str, sentence: str) -> str:
    found = difflib.get_close_matches(name, options.OPTIONS, 1)
    return sentence.format(found[0]) if found else ""


def _parse(key: options.Option, text: str) -> Any:
    try:
        return key.parse(text)
    except ValueError as error:
        raise UsageError(
            f"{key.name} takes {key.accepts}, not {text!r}", hint=f"dursor config get {key.name}"
        ) from error


def _parse_price(name: str, text: str) -> float:
    try:
        return options.parse_price(text)
    except ValueError as error:
        raise UsageError(
            f"{name} takes US dollars a million tokens, not {text!r}", hint="dursor config list"
        ) from error
