"""Secrets in the user's files: no model sees one, and patches contain them nevertheless."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import repos
from command_line import VENDORS, WIRES, CommandLine, make_append_reply, turns
from sample_secrets import PEM_BODY, VENDOR_SECRETS
from vendors import tool_streams
from vendors.server import ReceivedRequest, Script

AWS = "AKIAQ4ZTRN7WVK2LMX3P"
PASSWORD = "zX7!kQ2#vR9pLm4w"  # no vendor's shape: known by the name beside it
PEM = "".join(
    f"{line}\n"
    for line in (
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEowIBAAKCAQEAx7Jq0v3nTzK1yW5pQ8sLdR2uVbXc6mGfHjE4aNoZtYi9Ok",
        "q3Wb8LxTzv0RmJ5yKpNcUdFgHs7EaViXo2BnQtMZr1YjCkPwIuSlGh4De6OfAL",
        "-----END RSA PRIVATE KEY-----",
    )
)
LINE = "MIIEowIBAAKCAQEAx7Jq0v3nTzK1yW5pQ8sLdR2uVbXc6mGfHjE4aNoZtYi9Ok"
SETTINGS = f'region = "eu"\naccess = "{AWS}"\npassword = "{PASSWORD}"\nretries = 3\nlast = True\n'
SECRETS = (AWS, PASSWORD, "q3Wb8LxTzv0RmJ5yKpNcUdFgHs7EaViXo2BnQtMZr1YjCkPwIuSlGh4De6OfAL")
NAME = r"DURSOR_SECRET_[0-9a-f]{8}"


@pytest.fixture
def secretive(cli: CommandLine) -> CommandLine:
    """Return dursor in a repository with secrets in ordinary files."""
    repos.commit(cli.repo, {"settings.py": SETTINGS, "deploy.md": f"# Deploy\n\n{PEM}\nend\n"})
    return cli


def bodies(cli: CommandLine) -> str:
    return "\n".join(request.body.decode() for request in cli.requests)


def assert_unseen(cli: CommandLine) -> None:
    """Fail if a secret was sent to a model."""
    text = bodies(cli)
    assert all(secret not in text for secret in SECRETS)


def quoting(cli: CommandLine, *templates: str) -> None:
    """Make gpt answer TEMPLATES in turn, with the placeholders for {access} and {password}."""

    def answering(template: str) -> Callable[[ReceivedRequest], Script]:
        def reply(request: ReceivedRequest) -> Script:
            shown = "\n".join(text for _, text in turns(request))
            found = dict(re.findall(rf'(access|password) = "({NAME})"', shown))
            return Script(WIRES["gpt"](template.format(**found)))

        return reply

    cli.script("gpt", *map(answering, templates))


def resulting(cli: CommandLine, run: dict[str, Any]) -> str:
    repos.git(cli.repo, "apply", "-", stdin=run["patch"].encode())
    text = (cli.repo / "settings.py").read_text()
    repos.git(cli.repo, "checkout", "-qf", ".")
    return text


DIFF = """Three tries are too few.

```diff
--- a/settings.py
+++ b/settings.py
@@ -1,5 +1,5 @@
 region = "eu"
 access = "{access}"
 password = "{password}"
-retries = 3
+retries = 5
 last = True
```
"""


@pytest.mark.parametrize("model", VENDORS)
def test_models_see_placeholders(secretive: CommandLine, model: str):
    secretive.reply_with("Nothing to do.", models=[model])

    secretive.run_round("mend it", "-m", model, "--file", "deploy.md", "--file", "settings.py")

    assert_unseen(secretive)
    shown = turns(secretive.requests[0])[0][1]
    assert len(set(re.findall(NAME, shown))) == 4  # the private key has two lines
    assert "BEGIN RSA PRIVATE KEY" in shown


def test_a_patch_around_placeholders_contains_the_secrets(secretive: CommandLine):
    quoting(secretive, DIFF)

    (run,) = secretive.run_round("more tries", "-m", "gpt").runs

    assert_unseen(secretive)
    assert run["status"] == "succeeded", run["error"]
    assert resulting(secretive, run) == SETTINGS.replace("retries = 3", "retries = 5")


def test_a_placeholder_may_move(secretive: CommandLine):
    moved = DIFF.replace(' access = "{access}"', '-access = "{access}"')
    quoting(secretive, moved.replace(" last = True", ' last = True\n+access = "{access}"'))

    (run,) = secretive.run_round("move it", "-m", "gpt").runs

    assert_unseen(secretive)
    text = resulting(secretive, run)
    assert text.endswith(f'last = True\naccess = "{AWS}"\n')
    assert text.count(AWS) == 1


def test_an_instruction_is_sent_and_stored_without_secrets(cli: CommandLine):
    kinds = [f"{kind}: {one}" for kind, one in VENDOR_SECRETS.items()]
    cli.reply_with("Nothing to do.", models=["gpt"])

    text = "\n".join(["Mend it", *kinds, f'password: "{PASSWORD}"', PEM])
    done = cli.run_round(text, "-m", "gpt")

    assert "the instruction contains a secret" in done.stderr
    kept = "".join(file.read_text("latin-1") for file in cli.data.glob("dursor.db*"))
    for secret in (*VENDOR_SECRETS.values(), PASSWORD, LINE):
        assert secret not in bodies(cli) + kept + done.stdout
    assert "Mend it\naws id: [redacted]\n" in turns(cli.requests[0])[-1][1]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_copying_a_secret_to_another_file_causes_a_warning(secretive: CommandLine, elsewhere: bool):
    path = "/dev/null\n+++ b/notes.md" if elsewhere else "a/settings.py\n+++ b/settings.py"
    place = "@@ -0,0 +1 @@\n" if elsewhere else "@@ -5 +5,2 @@\n last = True\n"
    quoting(secretive, f'Noted.\n\n```diff\n--- {path}\n{place}+access = "{{access}}"\n```\n')

    (run,) = secretive.run_round("note it", "-m", "gpt").runs

    assert run["status"] == "succeeded", run["error"]
    assert AWS in run["patch"]
    warning = "notes.md contains a secret from another file: check it before you push"
    assert run["warnings"] == ([warning] if elsewhere else [])


def test_a_repair_shows_placeholders(secretive: CommandLine):
    quoting(secretive, DIFF.replace('region = "eu"', 'region = "us"').replace("last", "first"))

    (run,) = secretive.run_round("more tries", "-m", "gpt").runs

    assert_unseen(secretive)
    assert (run["status"], run["attempts"]) == ("failed", 3)
    for request in secretive.requests[1:]:
        repair = turns(request)[-1][1]
        assert re.search(rf'region = "eu"\naccess = "{NAME}"', repair)


def test_a_repaired_answer_is_stored_without_secrets(secretive: CommandLine):
    wrong = DIFF.replace('region = "eu"', 'region = "us"').replace("last", "first")
    quoting(secretive, wrong, DIFF, "Nothing more.")
    (run,) = secretive.run_round("more tries", "-m", "gpt").runs
    assert (run["status"], run["attempts"]) == ("succeeded", 2)

    secretive.run_round("and again", "-m", "gpt", "--from", run["id"])

    assert_unseen(secretive)
    role, text = turns(secretive.requests[-1])[1]
    assert role == "assistant"
    assert re.search(rf'access = "{NAME}"', text)


def test_messages_are_sent_without_secrets(secretive: CommandLine):
    secretive.reply_with("Nothing to do.", models=["gpt"])
    (run,) = secretive.run_round("look", "-m", "gpt").runs
    secretive("task", "say", run["task_id"], f'The review quotes\n> password = "{PASSWORD}"')

    secretive.run_round("and again", "-m", "gpt", "--task", run["task_id"])

    assert_unseen(secretive)
    assert re.search(rf'> password = "{NAME}"', turns(secretive.requests[-1])[-2][1])


def test_a_part_of_a_secret_is_masked_in_a_repair(cli: CommandLine):
    body = "".join(f"{LINE[i:]}{LINE[:i]}\n" for i in range(60))
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\n"
    repos.commit(cli.repo, {"deploy.bin": f"{key}\nend one\nend two\n"})
    wrong = "--- a/deploy.bin\n+++ b/deploy.bin\n@@ -63,2 +63,2 @@\n end one\n-end too\n+the end\n"
    cli.reply_with(f"Mended.\n\n```diff\n{wrong}```\n")

    (run,) = cli.run_round("mend it", "-m", "gpt", "--context-budget", "0").runs

    repair = turns(cli.requests[1])[-1][1]
    assert run["error"]["code"] == "apply_failed"
    assert "END RSA PRIVATE KEY-----\n\nend one\nend two" in repair
    assert not any(line in bodies(cli) for line in body.split())


def test_an_unknown_placeholder_is_repaired(secretive: CommandLine):
    strange = DIFF.replace("+retries = 5", '+token = "DURSOR_SECRET_00c0ffee"')
    quoting(secretive, strange, DIFF)

    (run,) = secretive.run_round("more tries", "-m", "gpt").runs

    assert (run["status"], run["attempts"]) == ("succeeded", 2)
    assert (
        "DURSOR_SECRET_00c0ffee is not a placeholder of a secret"
        in turns(secretive.requests[1])[-1][1]
    )
    assert "00c0ffee" not in run["patch"]


def test_text_that_looks_like_a_placeholder_may_stay(cli: CommandLine):
    repos.commit(cli.repo, {"README.md": 'line 2\n"DURSOR_SECRET_00c0ffee"\nline 3\n'})
    cli.reply_with(make_append_reply("line 4", "line 3"))

    (run,) = cli.run_round("append a line", "-m", "gpt").runs

    assert run["status"] == "succeeded", run["error"]


ORDINARY = f"""commit = "{hashlib.sha1(b"x").hexdigest()}"
sha256 = "{hashlib.sha256(b"x").hexdigest()}"
request = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
"""


def planted(*, before: str, after: str) -> str:
    """Return a file with a secret of every kind between two lines."""
    lines = [
        f'{kind.split()[0]}_{n} = "{one}"' for n, (kind, one) in enumerate(VENDOR_SECRETS.items())
    ]
    pasted = [f"DB_PASSWORD={PASSWORD}", f"DATABASE_URL=postgres://app:{PASSWORD}@db.internal/app"]
    pem = ["-----BEGIN PRIVATE KEY-----", *PEM_BODY.split("\n"), "-----END PRIVATE KEY-----"]
    return "".join(
        f"{line}\r\n" for line in [before, *lines, 'ENV = """', *pasted, '"""', *pem, after]
    )


def test_no_secret_is_sent_in_any_way_and_all_are_restored(cli: CommandLine):
    kinds = list(VENDOR_SECRETS.values())
    old, new = (
        planted(before="first = 1", after="last = 1"),
        planted(before="first = 2", after="last = 2"),
    )
    files = {
        "app/settings.py": old,
        "tests/fixtures.py": old,
        "AGENTS.md": f"Use {kinds[0]} or {kinds[3]}.\n",
        f"notes/{VENDOR_SECRETS['npm']}.txt": "\n" * 9000,
        "app/ids.py": ORDINARY,
    }
    repos.commit(cli.repo, files)

    def answer(request: ReceivedRequest) -> Script:
        outputs = [one["output"] for one in request.json["input"] if "output" in one]
        (shown,) = [
            one.partition("\n")[2] for one in outputs if one.startswith("app/settings.py, l")
        ]
        lines = shown.split("\r\n")[:-1]
        changed = [f"-{line}\n" for line in lines] + [
            f"+{line[:-1]}2\n" if line.endswith(" = 1") else f"+{line}\n" for line in lines
        ]
        head = "--- a/app/settings.py\n+++ b/app/settings.py\n"
        return Script(
            WIRES["gpt"](f"Done.\n\n```diff\n{head}@@ -1,1 +1,1 @@\n{''.join(changed)}```\n")
        )

    looks = [
        tool_streams.Call("read_file", {"path": "app/settings.py"}),
        tool_streams.Call("search", {"text": "="}),
        tool_streams.Call("list_files", {}),
    ]
    wrong = "--- a/app/settings.py\n+++ b/app/settings.py\n@@ -1,2 +1,2 @@\n first = 9\n-ENV = 9\n+ENV = 8\n"
    cli.script(
        "gpt",
        Script(WIRES["gpt"](f"Done.\n\n```diff\n{wrong}```\n")),
        Script(tool_streams.responses(looks).events),
        answer,
    )

    (run,) = cli.run_round("mend it", "-m", "gpt").runs
    cli.reply_with("No change is needed.", models=["claude"])
    cli.run_round("mend it", "-m", "claude", "--context-budget", "0")
    cli.run_round("and again", "-m", "claude", "--from", run["id"])

    assert run["status"] == "succeeded", run["error"]
    repos.git(cli.repo, "apply", "-", stdin=run["patch"].encode())
    assert (cli.repo / "app/settings.py").read_bytes() == new.encode()
    text = bodies(cli)
    assert "notes" in text
    assert all(json.dumps(line)[1:-1] in text for line in ORDINARY.splitlines())
    for secret in (*kinds, PASSWORD, *PEM_BODY.split("\n")):
        assert secret not in text
