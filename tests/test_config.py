"""Settings: sources, validation and writing."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.config import RepoPolicy, Setting, Settings
from dursor.config.edit import set_value
from dursor.config.options import OPTIONS
from dursor.errors import InternalError, PolicyError, UsageError


def setting(key, value, source):
    option = OPTIONS.get(key)
    description = option.description if option else "US dollars per million tokens"
    return Setting(key, value, source, description)


@pytest.fixture
def settings(tmp_path):
    def make(text=None, **env):
        folder = tmp_path / "config"
        folder.mkdir(exist_ok=True)
        if text is not None:
            (folder / "config.toml").write_text(text)
        places = {"DURSOR_CONFIG_DIR": str(folder), "DURSOR_DATA_DIR": str(tmp_path / "data")}
        return Settings({**places, **env})

    return make


# folders


def test_folders_from_the_environment(tmp_path):
    env = {
        "DURSOR_DATA_DIR": str(tmp_path / "d"),
        "DURSOR_CONFIG_DIR": "~/c",
        "DURSOR_WORKSPACES_DIR": "w",
        "HOME": "/home/me",
    }
    settings = Settings(env)
    assert settings.data_dir == tmp_path / "d"
    assert settings.database == tmp_path / "d" / "dursor.db"
    assert settings.config_file == Path("/home/me/c/config.toml")
    assert settings.workspaces_dir == Path.cwd() / "w"
    assert (
        Settings({**env, "DURSOR_WORKSPACES_DIR": ""}).workspaces_dir == tmp_path / "d/workspaces"
    )


@pytest.mark.parametrize("xdg", [{}, {"XDG_DATA_HOME": "/x/data", "XDG_CONFIG_HOME": "/x/config"}])
@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_folders_equal_platformdirs(monkeypatch, platform, xdg):
    from platformdirs.macos import MacOS
    from platformdirs.unix import Unix

    env = {"HOME": "/home/me", **xdg}
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    known = (MacOS if platform == "darwin" else Unix)("dursor", appauthor=False)
    settings = Settings(env, platform=platform)
    assert settings.data_dir == known.user_data_path
    assert settings.config_dir == known.user_config_path


def test_folder_of_this_platform(monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert Settings(os.environ).data_dir == platformdirs.user_data_path("dursor", appauthor=False)


def test_windows_folders_equal_platformdirs(tmp_path):
    settings = Settings({}, platform="win32")
    assert settings.data_dir == platformdirs.user_data_path("dursor", appauthor=False)
    assert settings.config_dir == platformdirs.user_config_path("dursor", appauthor=False)


def test_missing_home_folder_is_reported(monkeypatch):
    import pwd

    def unknown(_):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for env in ({}, {"HOME": ""}):
        with pytest.raises(UsageError, match="HOME is not set") as caught:
            print(Settings(env, platform="linux").data_dir)
        assert "DURSOR_DATA_DIR" in caught.value.hint


def test_relative_home_folder_is_reported():
    with pytest.raises(UsageError, match="HOME is 'rel', which is not an absolute path"):
        print(Settings({"HOME": "rel"}, platform="linux").data_dir)


def test_an_empty_home_is_not_the_root_folder(monkeypatch):
    import pwd

    monkeypatch.setenv("HOME", "")
    known = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert Settings({"HOME": ""}, platform="linux").config_dir == known / ".config/dursor"


def test_relative_xdg_folder_is_ignored():
    env = {"HOME": "/home/me", "XDG_DATA_HOME": "data"}
    assert Settings(env, platform="linux").data_dir == Path("/home/me/.local/share/dursor")


# values


def test_defaults(settings):
    values = {value.key: value for value in settings().find_all()}
    assert values["models"] == setting("models", (), "default")
    assert values["context_budget"].value == 32_000
    assert values["budget_usd"].value is None
    assert set(values) == set(OPTIONS)
    assert {value.source for value in values.values()} == {"default"}


def test_environment_comes_before_the_file_and_the_file_before_defaults(settings):
    text = 'models = ["gpt"]\njobs = 3\ntimeout = 30'
    config = settings(text, DURSOR_MODELS="claude, gemini", DURSOR_RETRIES="0", DURSOR_JOBS="")
    assert config.find("models") == setting(
        "models", ("claude", "gemini"), "environment DURSOR_MODELS"
    )
    assert config.find("jobs") == setting("jobs", 3, "file")
    assert config.find("timeout") == setting("timeout", 30, "file")
    assert config.find("retries") == setting("retries", 0, "environment DURSOR_RETRIES")
    assert config.get("max_files") == 50


def test_every_setting_has_a_short_description_of_its_own():
    descriptions = [option.description for option in OPTIONS.values()]
    assert len({*descriptions}) == len(OPTIONS)
    assert all(0 < len(text) <= 50 and text[0].isupper() for text in descriptions)


EACH_KEY = {
    "models": ("gpt claude:2", ("gpt", "claude:2"), "GPT,UPPER"),
    "context_budget": ("8000", 8000, "8k"),
    "max_files": ("5", 5, "0"),
    "max_output_tokens": ("1_000", 1000, "1.5"),
    "timeout": ("1.5", 1.5, "0"),
    "connect_timeout": ("5", 5, "-1"),
    "first_byte_timeout": ("5", 5, "nan"),
    "idle_timeout": ("5", 5, "inf"),
    "retries": ("0", 0, "-1"),
    "retry_after_cap": ("0", 0, "soon"),
    "jobs": ("0", 0, "1" * 400),
    "concurrency": ("8", 8, "0"),
    "require": ("ALL", "all", "most"),
    "explore": ("Off", "off", "some"),
    "budget_usd": ("$2.50", 2.5, "-1"),
    "forbidden_paths": ("secrets/**, *.sqlite", ("secrets/**", "*.sqlite"), None),
    "allowed_paths": ("a b", ("a", "b"), None),
    "key_store": ("file", "file", "plaintext"),
    "log_level": ("debug", "debug", "loud"),
}


@pytest.mark.parametrize("key", OPTIONS)
def test_each_setting_is_written_read_and_validated(settings, key):
    good, value, bad = EACH_KEY[key]
    made = settings()
    assert made.set(key, good) == setting(key, value, "file")
    assert settings().find(key) == setting(key, value, "file")
    variable = f"DURSOR_{key.upper()}"
    assert settings(**{variable: good}).find(key) == setting(key, value, f"environment {variable}")
    if bad is not None:
        with pytest.raises(UsageError) as caught:
            made.set(key, bad)
        assert OPTIONS[key].accepts in caught.value.message
        with pytest.raises(UsageError, match=variable):
            settings(**{variable: bad}).get(key)
    assert settings().get(key) == value


@pytest.mark.parametrize("text", ["jobs = true", 'jobs = "x"', "jobs = 1.5", "jobs = [1]"])
def test_bad_value_in_the_file_names_file_and_key(settings, text):
    config = settings(text)
    with pytest.raises(UsageError) as caught:
        config.get("jobs")
    assert str(config.config_file) in caught.value.message
    assert "jobs" in caught.value.message
    assert "a whole number" in caught.value.message
    assert config.get("retries") == 4


def test_unknown_key_suggests_a_similar_one(settings):
    for use in (lambda: settings().get("max_file"), lambda: settings().set("max_file", "3")):
        with pytest.raises(UsageError, match="setting max_file does not exist") as caught:
            use()
        assert caught.value.hint == "did you mean max_files?"
    with pytest.raises(UsageError) as caught:
        settings().get("zzz")
    assert caught.value.hint == "dursor config list"


@pytest.mark.parametrize(
    "text", ["jobs = \n", "a = 1\nb = = 2\n", "[" * 9000, "jobs = 1\njobs = 2"]
)
def test_broken_file_is_named_with_its_line(settings, text):
    config = settings(text)
    for use in (lambda: config.get("jobs"), lambda: config.set("jobs", "3"), config.find_all):
        with pytest.raises(UsageError) as caught:
            use()
        assert f"{config.config_file} is not valid TOML" in caught.value.message
        assert "\n" not in caught.value.message
        assert "nested" in caught.value.message or "at line " in caught.value.message
    assert config.config_file.read_text() == text
    assert config.database.name == "dursor.db"  # places do not need the file


def test_file_that_is_not_text(settings, tmp_path):
    config = settings()
    config.config_file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        config.get("jobs")


def test_file_that_cannot_be_read(settings):
    config = settings()
    config.config_file.mkdir()
    with pytest.raises(InternalError, match="cannot read"):
        config.get("jobs")


# prices


def test_prices_are_a_free_table(settings):
    config = settings()
    assert config.find("prices") == setting("prices", {}, "default")
    assert config.set('prices."gpt-5.6".output', "$10") == setting(
        'prices."gpt-5.6".output', 10.0, "file"
    )
    config.set("prices.gpt-5.6.input", "1.25")
    config.set("prices.local.cached_input", "0")
    assert config.get("prices") == {
        "gpt-5.6": {"output": 10.0, "input": 1.25},
        "local": {"cached_input": 0.0},
    }
    assert [value.key for value in config.find_all()[-3:]] == [
        'prices."gpt-5.6".output',
        'prices."gpt-5.6".input',
        'prices."local".cached_input',
    ]
    assert config.get("prices.gpt-5.6.input") == 1.25
    assert config.find("prices.other.input") == setting("prices.other.input", None, "default")


@pytest.mark.parametrize("text", ["prices = 3", "[prices.x]\ninput = 'a'", "[prices.x]\nin = 1"])
def test_bad_prices_name_the_file(settings, text):
    with pytest.raises(UsageError, match="prices"):
        settings(text).get("prices")


@pytest.mark.parametrize("value", ["-1", "free", "nan"])
def test_bad_price_is_refused(settings, value):
    with pytest.raises(UsageError, match="US dollars per million tokens"):
        settings().set("prices.x.input", value)


@pytest.mark.parametrize("key", ["prices.x", "prices.x.in", "prices..input", "prices."])
def test_bad_name_of_a_price_is_refused(settings, key):
    with pytest.raises(UsageError) as caught:
        settings().set(key, "1")
    assert 'prices."MODEL".input' in caught.value.hint


# writing

COMMENTED = """\
# my own settings

models = [
  "gpt",  # the good one
]
jobs = 3  # not "#4"
mystery = { a = 1 }

# cheap
[prices."gpt-5.6"]
input = 1.0 # a promise

[other]
jobs = "not this one"
"""


def test_everything_else_in_the_file_is_kept(settings):
    config = settings(COMMENTED)
    config.set("jobs", "8")
    config.set("prices.gpt-5.6.input", "2")
    config.set("prices.gpt-5.6.output", "9.5")
    config.set("max_files", "7")
    config.set("models", "claude")
    config.set("prices.new.input", "3")
    assert (
        config.config_file.read_text()
        == """\
# my own settings

models = ["claude"]
jobs = 8  # not "#4"
mystery = { a = 1 }
max_files = 7

# cheap
[prices."gpt-5.6"]
input = 2  # a promise
output = 9.5

[other]
jobs = "not this one"

[prices.new]
input = 3
"""
    )


def test_key_goes_before_the_first_table(settings):
    config = settings("# about prices\n[prices.x]\ninput = 1\n")
    config.set("jobs", "2")
    assert config.config_file.read_text() == "jobs = 2\n# about prices\n[prices.x]\ninput = 1\n"


def test_none_removes_the_line(settings):
    config = settings("budget_usd = 3 # dollars\njobs = 1")
    assert config.set("budget_usd", "none") == setting("budget_usd", None, "default")
    assert config.config_file.read_text() == "jobs = 1"
    config.set("budget_usd", "none")
    config.set("retries", "2")
    assert config.config_file.read_text() == "jobs = 1\nretries = 2\n"


def test_inline_table_is_not_changed(settings):
    text = "prices = { x = { input = 1 } }\n"
    config = settings(text)
    with pytest.raises(UsageError, match="cannot change"):
        config.set("prices.x.input", "2")
    assert config.config_file.read_text() == text


@pytest.mark.parametrize("text", ["prices = {}\n", "prices = 1\n", "[[prices]]\n"])
def test_table_that_cannot_be_extended_is_not_changed(settings, text):
    config = settings(text)
    with pytest.raises(UsageError):
        config.set("prices.x.input", "2")
    assert config.config_file.read_text() == text


def test_hash_inside_a_string_is_not_a_comment(settings):
    config = settings('require = "any#"  # "all#"\n')
    config.set("require", "all")
    assert config.config_file.read_text() == 'require = "all"  # "all#"\n'


def test_dotted_keys_are_changed_in_place(settings):
    config = settings("prices.x.input = 1\nprices.x.output = 2 # much\n")
    config.set("prices.x.output", "3")
    assert config.config_file.read_text() == "prices.x.input = 1\nprices.x.output = 3  # much\n"


def test_symlinked_file_stays_a_link(settings, tmp_path):
    config = settings()
    real = tmp_path / "dotfiles.toml"
    real.write_text("jobs = 1\n")
    config.config_file.symlink_to(real)
    config.set("jobs", "2")
    assert config.config_file.is_symlink()
    assert real.read_text() == "jobs = 2\n"


def test_folder_is_created_for_the_first_setting(tmp_path):
    config = Settings({"DURSOR_CONFIG_DIR": str(tmp_path / "a" / "b")})
    config.set("jobs", "2")
    assert config.config_file.read_text() == "jobs = 2\n"


def test_concurrent_writes_keep_all_settings(tmp_path):
    code = """
import sys
from dursor.config import Settings
Settings({"DURSOR_CONFIG_DIR": sys.argv[1]}).set(sys.argv[2], "7")
"""
    keys = ["jobs", "retries", "max_files", "concurrency"]
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), key]) for key in keys]
    assert [one.wait() for one in started] == [0] * len(keys)
    config = Settings({"DURSOR_CONFIG_DIR": str(tmp_path)})
    assert [config.get(key) for key in keys] == [7] * len(keys)


names = st.text(st.characters(codec="utf-8"), min_size=1)


@given(st.lists(st.tuples(names, st.floats(0, 1e6)), max_size=4), st.lists(names, max_size=3))
def test_any_name_and_value_can_be_written_and_read(prices, globs):
    text, known = "", {}
    settings = [(("prices", model, "input"), price) for model, price in prices]
    for path, value in [*settings, (("forbidden_paths",), tuple(globs))]:
        text = set_value(text, known, path, value, Path("config.toml")).decode()
        known = tomllib.loads(text)
    assert known.get("prices", {}) == {model: {"input": price} for model, price in prices}
    assert known["forbidden_paths"] == globs


def test_paths_need_no_heavy_import():
    code = """
import sys
from dursor.config import Settings
settings = Settings({"HOME": "/home/me"})
settings.database, settings.get("models")
print(*{"tomllib", "platformdirs", "asyncio", "logging", "tempfile", "subprocess"} & set(sys.modules))
"""
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert loaded.strip() == ""


# a repository's policy


def test_no_policy():
    assert RepoPolicy.parse("") == RepoPolicy()
    assert RepoPolicy().limit("max_files", 50) == 50
    assert RepoPolicy().limit("budget_usd", None) is None


def test_policy_tightens():
    policy = RepoPolicy.parse(
        'forbidden_paths = ["db/**"]\nmax_files = 3\ncontext_budget = 0\n'
        "max_output_tokens = 100\ntimeout = 5.5\nbudget_usd = 0"
    )
    assert policy == RepoPolicy(("db/**",), 3, 0, 100, 5.5, 0)
    assert policy.limit("max_files", 50) == 3
    assert policy.limit("max_files", 2) == 2
    assert policy.limit("budget_usd", None) == 0


def test_policy_cannot_set_anything_else():
    policy = RepoPolicy.parse('models = ["x"]\nmax_files = 1\n[prices.x]\ninput = 1')
    assert policy.warnings == (".dursor.toml may only tighten limits; ignored: 'models', 'prices'",)
    assert policy.max_files == 1
    name = "k\\n" * 99
    (warning,) = RepoPolicy.parse("".join(f'"{name}{i}" = 1\n' for i in range(9))).warnings
    assert "\n" not in warning
    assert len(warning) < 400


@pytest.mark.parametrize(
    "text",
    [
        "max_files = ",
        "max_files = 0",
        'max_files = "3"',
        "max_files = true",
        "timeout = -1",
        "timeout = nan",
        'budget_usd = "none"',
        'forbidden_paths = "db/**"',
        "forbidden_paths = [1]",
        "x = " + "[" * 5000,
        "x = " + "9" * 5000,
        "#" * 70_000,
        b"max_files = 1 # \xff",
    ],
)
def test_broken_policy_stops_the_round(text):
    with pytest.raises(PolicyError, match=r"\.dursor\.toml at the base commit") as caught:
        RepoPolicy.parse(text)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 300
