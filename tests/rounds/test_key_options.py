"""The key of a model call, the places of keys, and the errors when one is missing."""

import stat

import leaks
import pytest
from command_line import DIFF, KEYS, CommandLine
from vendors.server import ReceivedRequest, Script

OTHERS = {
    "profile": "sk-the-profiles-own-key-4444",
    "provider": "sk-the-providers-key-5555",
    "google": "AIza-the-other-google-key-6666",
}
PASSPHRASE = "correct horse battery staple 7777"
UNSET = dict.fromkeys(KEYS, "")


def key_of(request: ReceivedRequest) -> str:
    """Return the key of a request, from the only header that may contain it."""
    names = ("authorization", "x-api-key", "x-goog-api-key")
    (found,) = (request.headers[name] for name in names if name in request.headers)
    return found.removeprefix("Bearer ")


def used(cli: CommandLine, *models: str) -> list[str]:
    """Return the keys in the requests of a round of MODELS."""
    before = len(cli.requests)
    words = [word for model in models for word in ("-m", model)]
    done = cli.run_round("append a line", *words)
    assert done.exit_code == 0, done.json["errors"]
    return sorted(key_of(request) for request in cli.requests[before:])


def refused(cli: CommandLine, *words: str) -> dict[str, str]:
    """Return the error of a round without a key: nothing was created or sent."""
    runs = len(cli("run", "list", "--all", "--json").data["items"])
    sent = len(cli.requests)
    done = cli.run_round("append a line", *(words or ("-m", "gpt")))
    assert (done.exit_code, done.json["status"], done.json["data"]) == (4, "error", None)
    assert len(cli.requests) == sent
    assert len(cli("run", "list", "--all", "--json").data["items"]) == runs
    (error,) = done.json["errors"]
    assert error["code"] == "auth"
    assert "\n" not in error["message"]
    assert error["hint"]
    return error


@pytest.fixture
def keyed(cli: CommandLine) -> CommandLine:
    """Configure a passphrase for the key file."""
    cli.extra["DURSOR_ENCRYPTION_KEY"] = PASSPHRASE
    cli.reply_with(DIFF)
    return cli


def test_each_vendor_gets_its_own_key_and_google_has_two_names(keyed: CommandLine):
    assert used(keyed, "gpt", "claude", "gemini") == sorted(KEYS.values())

    keyed.extra["GOOGLE_API_KEY"] = OTHERS["google"]
    assert used(keyed, "gemini") == [OTHERS["google"]]


def test_the_order_of_key_sources(keyed: CommandLine):
    def source(name: str = "gpt") -> str | None:
        found: str | None = keyed("models", "show", name, "--json").data["key"]
        return found

    assert source() == "env"
    provider = keyed("models", "set-key", "openai", "--stdin", "--json", input=OTHERS["provider"])
    assert (provider.exit_code, source()) == (0, "env")
    assert used(keyed, "gpt") == [KEYS["OPENAI_API_KEY"]]

    keyed.extra |= {"OPENAI_API_KEY": ""}
    assert source() == "file"
    assert used(keyed, "gpt") == [OTHERS["provider"]]

    keyed.extra |= {"OPENAI_API_KEY": KEYS["OPENAI_API_KEY"]}
    profile = keyed("models", "set-key", "gpt", "--stdin", input=f"{OTHERS['profile']}\r\n")
    assert (profile.exit_code, source()) == (0, "file")
    assert used(keyed, "gpt") == [OTHERS["profile"]]

    words = ("--provider", "openai", "--model", "gpt-4o", "--key-stdin", "--json")
    added = keyed("models", "add", "mine", *words, input=OTHERS["google"])
    assert added.data["key"] == "file"
    assert used(keyed, "mine", "gpt") == sorted([OTHERS["google"], OTHERS["profile"]])

    assert keyed("models", "remove", "gpt", "--json").exit_code == 0
    assert source() == "env"
    assert keyed("models", "remove", "mine", "--json").exit_code == 0
    assert keyed("models", "show", "mine", "--json").exit_code == 2
    assert stat.S_IMODE((keyed.data / "keys.json").stat().st_mode) == 0o600
    leaks.check(keyed, provider, profile, added, keys=[*KEYS.values(), *OTHERS.values()])
    leaks.check(keyed, keys=[PASSPHRASE])


def test_a_stored_key_that_cannot_be_opened_is_refused_at_once(keyed: CommandLine):
    keyed.extra |= UNSET
    keyed("models", "set-key", "gpt", "--stdin", input=OTHERS["profile"])
    file = keyed.data / "keys.json"
    good = file.read_bytes()

    keyed.extra["DURSOR_ENCRYPTION_KEY"] = "wrong"
    assert "DURSOR_ENCRYPTION_KEY cannot decrypt" in refused(keyed)["message"]
    keyed.extra["DURSOR_ENCRYPTION_KEY"] = ""
    error = refused(keyed)
    assert "no passphrase" in error["message"]
    assert error["hint"].startswith("export DURSOR_ENCRYPTION_KEY=")
    keyed.extra["DURSOR_ENCRYPTION_KEY"] = PASSPHRASE
    for damaged in (good[:-40], good.replace(b'"salt": "', b'"salt": "AA'), b"", b"\xff\x00"):
        file.write_bytes(damaged)
        assert "is damaged" in refused(keyed)["message"]
    file.unlink()
    assert "no longer in the encrypted key file" in refused(keyed)["message"]
    file.write_bytes(good)
    assert used(keyed, "gpt") == [OTHERS["profile"]]


def test_a_missing_key_stops_the_round_for_all(cli: CommandLine):
    cli.extra["ANTHROPIC_API_KEY"] = ""
    cli.reply_with(DIFF)

    for more in ((), ("--detach",), ("--dry-run",)):
        error = refused(cli, "-m", "gpt", "-m", "claude", *more)
        assert "'claude'" in error["message"]
        assert "ANTHROPIC_API_KEY" in error["hint"]
    assert cli("repo", "list", "--json").data["items"] == []


@pytest.mark.parametrize("key", [" ", "two words", "line\nbreak", "schlüssel", "tab\tbed"])
def test_an_invalid_key_is_refused_without_being_printed(cli: CommandLine, key: str):
    cli.extra["OPENAI_API_KEY"] = key

    error = refused(cli)

    assert key.strip() == "" or key not in str(error)


@pytest.mark.parametrize("text", ["", "\n", "two words", "sk-\x00", "sk-ü"])
def test_a_bad_key_on_stdin_is_not_stored(keyed: CommandLine, text: str):
    done = keyed("models", "set-key", "gpt", "--stdin", "--json", input=text)

    assert (done.exit_code, done.json["errors"][0]["code"]) == (2, "usage")
    assert not (keyed.data / "keys.json").exists()
    assert keyed("models", "show", "gpt", "--json").data["key"] == "env"


def test_a_missing_passphrase_without_a_terminal_has_a_hint(cli: CommandLine):
    done = cli("models", "set-key", "gpt", "--stdin", "--json", input="sk-new-key-8888")
    typed = cli("models", "set-key", "gpt", "--json", input="sk-new-key-8888")
    added = cli(
        "models", "add", "x", "--provider", "openai", "--model", "m", "--key-stdin", input="sk-9999"
    )

    assert (done.exit_code, typed.exit_code, added.exit_code) == (4, 2, 4)
    assert done.json["errors"][0]["hint"].startswith("export DURSOR_ENCRYPTION_KEY=")
    assert "--stdin" in typed.json["errors"][0]["hint"]
    assert cli("models", "show", "x", "--json").exit_code == 2
    assert not (cli.data / "keys.json").exists()
    leaks.check(cli, done, typed, added, keys=["sk-new-key-8888"])


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [(200, None, 0), (401, "auth", 4), (404, "model_not_found", 4), (500, "provider_error", 5)],
)
def test_a_check_calls_the_model(cli: CommandLine, status: int, code: str | None, exit_code: int):
    quoted = {"error": {"message": f"no: {KEYS['ANTHROPIC_API_KEY']}"}}
    cli.server.script("/models/", Script.error(status, quoted))

    done = cli("models", "check", "claude", "--json")
    plain = cli("models", "check", "claude")

    (item,) = done.data["items"]
    assert sorted(item) == ["error", "latency_ms", "name", "ok"]
    assert (item["name"], item["ok"]) == ("claude", code is None)
    assert (done.exit_code, plain.exit_code) == (exit_code, exit_code)
    assert (item["error"] or {"code": None})["code"] == code
    assert [error["code"] for error in done.json["errors"]] == ([code] if code else [])
    leaks.check(cli, done, plain)


def test_a_check_without_names_covers_the_models_with_keys(cli: CommandLine):
    cli.extra |= {"GEMINI_API_KEY": ""}
    cli.server.script("/models/", Script.error(200))

    done = cli("models", "check", "--json")

    assert [item["name"] for item in done.data["items"]] == ["gpt", "claude"]
    assert {key_of(request) for request in cli.requests} == {
        KEYS["OPENAI_API_KEY"],
        KEYS["ANTHROPIC_API_KEY"],
    }


def test_a_key_is_not_stored_without_a_database(cli: CommandLine):
    cli.extra["DURSOR_ENCRYPTION_KEY"] = "open sesame"
    cli.data.mkdir()
    (cli.data / "dursor.db").write_bytes(b"no database" * 1000)

    done = cli("models", "set-key", "gpt", "--stdin", "--json", input="sk-0123456789")

    assert (done.exit_code, done.json["errors"][0]["code"]) == (1, "internal")
    assert not (cli.data / "keys.json").exists()
