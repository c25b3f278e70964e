import os
import shutil
from contextlib import contextmanager

import pytest
import repos

from dursor.vcs.repository import Repository

HOOKS = (
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-checkout",
    "post-index-change",
    "reference-transaction",
    "pre-applypatch",
    "fsmonitor-watchman",
    "pre-auto-gc",
)


@pytest.fixture(autouse=True)
def hermetic(monkeypatch, tmp_path_factory):
    """Hide this machine's git configuration from the code under test."""
    repos.isolate(monkeypatch, tmp_path_factory.mktemp("home"))


@pytest.fixture
def reopen():
    """Open repositories and close them at the end of the test."""
    opened = []

    def open_(path):
        opened.append(Repository.open(path))
        return opened[-1]

    yield open_
    for repo in opened:
        repo.close()


@pytest.fixture
def untouched():
    """Compare every byte of folders before and after a block."""

    @contextmanager
    def watch(*tops):
        before = [repos.fingerprint(top) for top in tops]
        yield
        for top, seen in zip(tops, before, strict=True):
            now = repos.fingerprint(top)
            changed = {k for k in seen.keys() | now.keys() if seen.get(k) != now.get(k)}
            assert changed == set()

    return watch


@pytest.fixture
def spy(tmp_path, monkeypatch):
    """Put a `git` first on PATH that records its arguments and environment, then runs git."""
    real, folder = shutil.which("git"), tmp_path / "spy"
    folder.mkdir()
    script = (
        "#!/bin/sh\n"
        f'printf "%s\\n" "$*" >>"{folder}/argv"\n'
        f'env >>"{folder}/env"\n'
        f'exec "{real}" "$@"\n'
    )
    repos.write(folder, {"git": repos.Script(script)})
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    class Spy:
        @property
        def calls(self):
            return (folder / "argv").read_text().splitlines() if (folder / "argv").exists() else []

        @property
        def environment(self):
            return (folder / "env").read_text()

    return Spy()


@pytest.fixture
def hostile(tmp_path):
    """Build a repository with a trace-leaving command wherever git might run one."""
    trace = tmp_path / "trace"
    trace.mkdir()
    top = repos.build(
        tmp_path / "hostile",
        {
            ".gitattributes": "*.evil filter=evil diff=evil merge=evil\n*.txt diff=evil merge=evil\n",
            "a.txt": "1\n2\n3\n",
            "b.evil": "plain\n",
            "sub/c.txt": "c\n",
        },
    )

    repos.git(top, "tag", "v1")

    def command(name):
        return f"touch '{trace}/{name}'; cat"

    settings = {
        "filter.evil.clean": command("clean"),
        "filter.evil.smudge": command("smudge"),
        "filter.evil.process": command("process"),
        "filter.evil.required": "true",
        "diff.evil.textconv": command("textconv"),
        "diff.evil.command": command("diff"),
        "diff.external": command("external"),
        "merge.evil.driver": command("merge"),
        "core.fsmonitor": command("fsmonitor"),
        "core.pager": command("pager"),
        "core.editor": command("editor"),
        "core.sshCommand": command("ssh"),
        "core.askPass": command("askpass"),
        "credential.helper": "!" + command("credential"),
        "uploadpack.packObjectsHook": command("pack"),
    }
    planted = ""
    for key, value in settings.items():
        section, *inner, name = key.split(".")
        head = " ".join([section, *(f'"{one}"' for one in inner)])
        planted += f'[{head}]\n\t{name} = "{value}"\n'
    config = top / ".git/config"
    config.write_text(config.read_text() + planted)
    for hook in HOOKS:
        text = f"#!/bin/sh\ntouch '{trace}/{hook}'\n"
        repos.write(top, {f".git/hooks/{hook}": repos.Script(text)})
    yield top
    assert [item.name for item in trace.iterdir()] == []
