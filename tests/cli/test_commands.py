"""Every command: the service that it calls, and the output of the result."""

import fake_app
import pytest
from fake_app import APPLIED, MODEL, OTHER, REPO, RUN, TASK

from dursor.cli.command_tree import COMMANDS, GroupSpec
from dursor.config import Setting
from dursor.domain import Branch, Choices, RunStatus, Secret
from dursor.services.request import ContextRequest, NewModel, NewPull
from dursor.services.results import (
    ComparedFile,
    Comparison,
    DoctorCheck,
    ModelCheck,
    ResolvedPatch,
    RoundResult,
    TaskHistory,
)

ROUND = RoundResult(TASK, fake_app.ROUND, (RUN, OTHER))
NO_FILTER = {"everywhere": False, "task": None, "status": None, "limit": 20}
HISTORY = TaskHistory(TASK, (fake_app.MESSAGE,), (fake_app.ROUND,), (RUN,), (fake_app.PR,))
COMPARED = Comparison(
    (RUN, OTHER),
    (ComparedFile("shop/pages.py", (RUN.id, OTHER.id), identical=True),),
    fake_app.PATCH,
)
SETTING = Setting("budget_usd", 0.5, "default", "Maximum cost of a round")
APPLY = {"branch": None, "commit": False, "three_way": False}
ANY = object()  # a listener or a question: not compared
TYPED = {"github.use_token": "ghp_x\n", "github.use_app": "ghp_x"}  # on stdin

# words, call, positional arguments, options, answer, a line of what people read
CASES = [
    ("run list", "runs.list", (None,), NO_FILTER, [RUN], "3fa1c9e2  gpt    succeeded"),
    (
        "run list --all --task 7d1f --status failed --limit 3 --repo shop",
        "runs.list",
        ("shop",),
        {"everywhere": True, "task": "7d1f", "status": RunStatus.FAILED, "limit": 3},
        [RUN],
        "RUN       MODEL  STATUS     FILES  +/-     TIME  COST    AGE",
    ),
    ("run show 3fa1", "runs.find", ("3fa1",), {}, RUN, "Counts from one."),
    ("run diff 3fa1", "runs.find", ("3fa1",), {}, RUN, "+last = 10"),
    ("run logs 3fa1", "runs.find", ("3fa1",), {}, RUN, f"{fake_app.AT}  call     streaming"),
    ("run logs 3fa1 --follow", "runs.follow", ("3fa1",), {}, RUN.logs, "streaming"),
    ("run watch 3fa1 b07d", "rounds.watch", (["3fa1", "b07d"], ANY), {}, ROUND, "b07d55aa"),
    ("run cancel 3fa1 b07d", "runs.cancel", (["3fa1", "b07d"],), {}, ROUND, "b07d55aa"),
    ("run retry 3fa1", "rounds.retry", ("3fa1", Choices(), ANY), {}, ROUND, "3fa1c9e2"),
    (
        "run compare 3fa1 b07d",
        "runs.compare",
        (["3fa1", "b07d"],),
        {},
        COMPARED,
        "changed   changed   identical  shop/pages.py",
    ),
    ("run apply 3fa1", "runs.apply", ("3fa1",), APPLY, APPLIED, "modified  +11 -4  shop/pages.py"),
    (
        "run apply 3fa1 --branch fix --commit --3way",
        "runs.apply",
        ("3fa1",),
        {"branch": "fix", "commit": True, "three_way": True},
        APPLIED,
        "branch  fix",
    ),
    (
        """models add mine --provider openai --model qwen --base-url http://x/v1 --api chat
        --effort low --max-output-tokens 9 --display-name Mine""",
        "models.add",
        (
            NewModel("mine", "openai", "qwen", "http://x/v1", "chat", "low", 9, "Mine"),
            ANY,
        ),
        {},
        MODEL,
        "model     gpt-5.2",
    ),
    ("models list", "models.list", (100,), {}, [MODEL], "gpt   openai    gpt-5.2  env"),
    ("models show gpt", "models.find", ("gpt",), {}, MODEL, "options   effort high"),
    (
        "models check gpt",
        "models.check",
        (["gpt"],),
        {},
        [ModelCheck("gpt", ok=True, latency_ms=340, error=None)],
        "gpt   ok      340 ms",
    ),
    ("models set-key gpt", "models.set_key", ("gpt", ANY), {}, MODEL, "name      gpt"),
    ("models remove gpt", "models.remove", ("gpt",), {}, MODEL, "name      gpt"),
    (
        "repo add . --name shop",
        "repos.add",
        (".", "shop", ANY),
        {},
        REPO,
        "path     /home/ada/shop",
    ),
    ("repo list", "repos.list", (20,), {}, [REPO], "shop  main    /home/ada/shop"),
    ("repo show shop", "repos.find", ("shop",), {}, REPO, "branch   main"),
    (
        "repo branches shop",
        "repos.branches",
        ("shop",),
        {},
        [Branch("main", "c0de" * 10, default=True)],
        "main    c0dec0de  default",
    ),
    ("repo remove shop", "repos.remove", ("shop",), {}, REPO, "name     shop"),
    (
        "task new Pagination --repo shop",
        "tasks.create",
        ("Pagination", "shop"),
        {},
        TASK,
        "title    Pagination",
    ),
    (
        "task list --all",
        "tasks.list",
        (None,),
        {"everywhere": True, "limit": 20},
        [TASK],
        "7d1f7d1f  open",
    ),
    ("task show 7d1f", "tasks.history", ("7d1f",), {}, HISTORY, "  in pagination"),
    ("task say 7d1f hello", "tasks.say", ("7d1f", "hello"), {}, fake_app.MESSAGE, "user, 2026"),
    ("task rename 7d1f Pages", "tasks.rename", ("7d1f", "Pages"), {}, TASK, "status   open"),
    ("task close 7d1f", "tasks.close", ("7d1f",), {}, TASK, "repo     4ee04ee0"),
    (
        "pr create --run 3fa1 --title  A  --body B --draft --base main --branch fix",
        "pulls.create",
        (NewPull("3fa1", "A", "B", True, "main", "fix"), ANY),
        {},
        fake_app.PR,
        "url      https://x/42",
    ),
    (
        "pr update 42 --run 3fa1",
        "pulls.update",
        ("42", "3fa1", ANY),
        {},
        fake_app.PR,
        "pr       #42",
    ),
    (
        "pr list --repo shop --limit 3",
        "pulls.list",
        ("shop",),
        {"everywhere": False, "limit": 3},
        [fake_app.PR],
        "#42  open    dursor/3fa1  T",
    ),
    ("pr show 42", "pulls.show", ("42", ANY), {}, fake_app.PR, "branch   dursor/3fa1 (c0)"),
    ("pr sync 42", "pulls.sync", ("42", ANY), {}, fake_app.NEWS, "  in pagination"),
    (
        "github login --token-stdin",
        "github.use_token",
        (Secret("ghp_x"), ANY),
        {},
        fake_app.SIGNED_IN,
        "login         helper[bot]",
    ),
    (
        "github login --app-id 12345 --installation-id 678 --private-key-file -",
        "github.use_app",
        ("12345", "678", Secret("ghp_x"), ANY),
        {},
        fake_app.SIGNED_IN,
        "app           12345",
    ),
    (
        "github login --installation-id 678",
        "github.use_installation",
        ("678", ANY),
        {},
        fake_app.SIGNED_IN,
        "installation  678",
    ),
    ("github status", "github.status", (ANY,), {}, fake_app.SIGNED_IN, "kind          app"),
    (
        "github repos",
        "github.repos",
        (ANY,),
        {},
        [fake_app.HOSTED],
        "ada/shop  main    private     https://github.com/ada/shop",
    ),
    (
        "github branches ada/shop",
        "github.branches",
        ("ada/shop", ANY),
        {},
        [Branch("main", "c0de" * 10, default=True)],
        "main    c0dec0de  default",
    ),
    ("github logout", "github.logout", (ANY,), {}, fake_app.SIGNED_IN, "api           https://api"),
    (
        "context Pagination --repo shop --base v1 --file a.py --context-budget 9",
        "rounds.context",
        (ContextRequest("Pagination", "shop", "v1", ("a.py",), 9),),
        {},
        fake_app.PLAN,
        "321     1-20,40-60  shop/pages.py  named in the instruction",
    ),
    (
        "patch - --repo shop --base v1",
        "patches.resolve",
        (b"", "shop", "v1"),
        {},
        ResolvedPatch(fake_app.PATCH, (fake_app.CHANGED,), ()),
        "+last = 10",
    ),
    ("patch - --apply", "patches.apply", (b"", None, None), {}, APPLIED, "shop/pages.py"),
    ("config get budget_usd", "configuration.get", ("budget_usd",), {}, SETTING, "0.5"),
    ("config set budget_usd 1", "configuration.set", ("budget_usd", "1"), {}, SETTING, "0.5"),
    (
        "config list",
        "configuration.list",
        (),
        {},
        [SETTING],
        "budget_usd  0.5    default  Maximum cost of a round",
    ),
    (
        "doctor",
        "doctor.check",
        (),
        {},
        [DoctorCheck("git", "2.47")],
        "git    ok      2.47",
    ),
]


@pytest.mark.parametrize(("words", "call", "args", "options", "answer", "line"), CASES)
def test_a_command_is_one_call(dursor, words, call, args, options, answer, line):
    done = dursor(*words.split(), answers={call: answer}, input=TYPED.get(call, ""))
    name, given, named = done.app.only_call
    assert (name, named) == (call, options)
    assert len(given) == len(args)
    assert [have for have, want in zip(given, args, strict=True) if want is not ANY] == [
        want for want in args if want is not ANY
    ]
    assert line in done.stdout
    assert done.exit_code == 0


@pytest.mark.parametrize(("words", "call", "args", "options", "answer", "line"), CASES)
def test_a_command_prints_json(dursor, words, call, args, options, answer, line):
    done = dursor(*words.split(), "--json", answers={call: answer}, input=TYPED.get(call, ""))
    assert done.json["status"] == "ok"
    assert done.json["data"]
    assert "next:" not in done.stderr


def test_every_command_is_tested():
    covered = {" ".join(words.split()[:2]) for words, *_ in CASES} | {"config path", "demo"}
    for word, entry in COMMANDS.items():
        names = (
            [f"{word} {one}" for one in entry.commands] if isinstance(entry, GroupSpec) else [word]
        )
        for name in names:
            assert any(f"{one} ".startswith(f"{name} ") for one in covered), name


def test_the_configuration_file(dursor):
    done = dursor("config", "path", answers={"configuration.path": "/home/ada/config.toml"})
    assert done.stdout == "/home/ada/config.toml\n"


def test_settings_are_printed_bare(dursor):
    for value, text in (("gpt", "gpt"), (["gpt"], '["gpt"]'), (None, "null"), (True, "true")):
        answers = {"configuration.get": Setting("models", value, "file", "Models")}
        assert dursor("config", "get", "models", answers=answers).stdout == f"{text}\n"


def test_a_failed_check_fails_doctor(dursor):
    checks = [
        DoctorCheck("git", "2.47"),
        DoctorCheck("keyring", "locked", "unlock it", "error"),
    ]
    done = dursor("doctor", answers={"doctor.check": checks})
    assert done.exit_code == 1
    assert done.stderr == "error: keyring: locked\nhint: unlock it\n"
    as_json = dursor("doctor", "--json", answers={"doctor.check": checks})
    assert as_json.json["status"] == "partial"
    assert as_json.json["data"]["checks"][1] == {
        "name": "keyring",
        "ok": False,
        "level": "error",
        "detail": "locked",
        "hint": "unlock it",
    }


def test_a_refused_key_is_exit_4(dursor):
    from dursor.errors import AuthError

    checks = [ModelCheck("gpt", ok=False, latency_ms=None, error=AuthError("401", hint="set-key"))]
    done = dursor("models", "check", answers={"models.check": checks})
    assert (done.exit_code, done.stderr) == (4, "error: 401\nhint: set-key\n")


@pytest.mark.parametrize(
    ("words", "call", "hint"),
    [
        ("run list", "runs.list", "dursor run "),
        ("task list", "tasks.list", "dursor task new "),
        ("repo list", "repos.list", "dursor repo add "),
        ("pr list", "pulls.list", "dursor pr create "),
    ],
)
def test_an_empty_list_prints_a_command_to_type(dursor, words, call, hint):
    done = dursor(*words.split(), answers={call: []})
    assert (done.exit_code, done.stdout) == (0, "")
    assert hint in done.stderr
    assert dursor(*words.split(), "--json", answers={call: []}).json["data"] == {"items": []}


def test_the_sections_of_a_run(dursor):
    def show(*flags):
        return dursor("run", "show", "3fa1", *flags, answers={"runs.find": RUN}).stdout

    assert "Counts from one." in show()
    assert "renamed   +0 -0   a.py -> b.py" in show()
    assert "streaming" not in show()
    assert "streaming" in show("--logs")
    assert "Counts from one." not in show("--logs")
    assert "+last = 10" in show("--diff", "--logs")
    assert "guidance" in show("--context")
    assert "12.3k in (6.0k cached), 1.2k out (200 reasoning)" in show("--summary")


def test_a_failed_run_shows_its_error_and_hint(dursor):
    done = dursor("run", "show", "dead", answers={"runs.find": fake_app.FAILED})
    assert "error        no first byte within 300 s (stage: call)" in done.stdout
    assert "hint         --timeout 900" in done.stdout


def test_compare_refuses_one_run(dursor):
    assert dursor("run", "compare", "3fa1").exit_code == 2


def test_a_log_is_followed_line_by_line(dursor):
    lines = []

    def follow(run):
        for message in ("one", "two"):
            lines.append(message)
            yield fake_app.LogEntry(fake_app.AT, fake_app.Stage.CALL, f"{message}\n\x1b[2J")

    done = dursor("run", "logs", "3fa1", "-f", answers={"runs.follow": follow})
    assert lines == ["one", "two"]
    assert (
        done.stdout
        == f"{fake_app.AT}  call     one \\x1b[2J\n{fake_app.AT}  call     two \\x1b[2J\n"
    )


def test_a_key_is_read_from_stdin(dursor):
    answers = {"models.set_key": fake_app.keep_key, "models.add": fake_app.keep_key}
    done = dursor("models", "set-key", "gpt", "--stdin", answers=answers, input=" sk-abc \n")
    assert "display   cba-ks" in done.stdout
    added = ("models", "add", "mine", "--provider", "google", "--model", "m")
    assert "cba-ks" in dursor(*added, "--key-stdin", answers=answers, input="sk-abc").stdout
    assert "display   none" in dursor(*added, answers=answers, input="sk-abc").stdout
    for bad in ("", " \n", "two words", "naïve", "a\nb"):
        assert (
            dursor("models", "set-key", "gpt", "--stdin", answers=answers, input=bad).exit_code == 2
        )
    refused = dursor("models", "set-key", "gpt", answers=answers, input="sk-abc")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: no terminal to type the key on\n")
