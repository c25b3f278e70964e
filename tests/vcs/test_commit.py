import os
import subprocess
import sys

import pytest
import repos

from dursor.errors import ConflictError, PolicyError, UsageError
from dursor.vcs.apply.apply import apply_patch
from dursor.vcs.apply.commit import CommitRequest

BASE = {
    "a.txt": "".join(f"line {n}\n" for n in range(1, 21)),
    "b.txt": "b\n",
    "c.txt": "c\n",
    "old name.txt": "".join(f"text {n}\n" for n in range(9)),
}
CHANGE = {
    "a.txt": repos.replace_line(BASE["a.txt"], 3, "three\n"),
    "b.txt": None,
    "old name.txt": None,
    "d/ü name.txt": BASE["old name.txt"] + "more\n",
    "run.sh": repos.Script("echo\n"),
    "link": repos.Link("a.txt"),
}
MESSAGE = CommitRequest("Change line 3\n\n# not a comment\nDursor-Run: 1\n")


@pytest.fixture
def top(tmp_path):
    return repos.build(tmp_path / "r", BASE)


def hook(top, name, body):
    repos.write(top, {f".git/hooks/{name}": repos.Script(f"#!/bin/sh\n{body}\n")})


def status(top):
    return repos.git(top, "status", "--porcelain", "-z").split("\0")[:-1]


def names(top, commit):
    listing = repos.git(top, "show", "--name-only", "--no-renames", "--format=", "-z", commit)
    return set(listing.split("\0")[:-1])


def refs(top):
    return (top / ".git/HEAD").read_text(), repos.git(top, "for-each-ref")


def test_branch_is_created_at_head_and_checked_out(top, reopen):
    patch, head = repos.patch(top, CHANGE), repos.head(top)
    repo = reopen(top)
    assert apply_patch(repo, patch, branch="dursor/x") is None
    assert repo.find_current_branch() == "dursor/x"
    assert repo.resolve("HEAD") == repo.resolve("main") == head
    assert status(top) == [
        " M a.txt",
        " D b.txt",
        " D old name.txt",
        "?? d/",
        "?? link",
        "?? run.sh",
    ]
    repos.git(top, "stash", "--all", "-q")
    repos.git(top, "switch", "-q", "-")
    assert repo.find_current_branch() == "main"


def test_invalid_branch_names(top, reopen, untouched):
    patch, repo = repos.patch(top, CHANGE), reopen(top)
    with untouched(top):
        odd = [
            "-x",
            "@",
            "a..b",
            "@{-1}",
            "HEAD",
            "x.lock",
            "a~",
            "/a",
            "refs/x",
            "",
            "a b",
            "a\nb",
        ]
        for name in odd:
            with pytest.raises(UsageError, match="not a valid branch name"):
                apply_patch(repo, patch, branch=name)


def test_branch_that_exists_or_conflicts_with_another(top, reopen, untouched):
    patch = repos.patch(top, CHANGE)
    repos.git(top, "branch", "taken/deep")
    with untouched(top), pytest.raises(ConflictError, match="taken/deep already exists"):
        apply_patch(reopen(top), patch, branch="taken/deep")
    before, seen = refs(top), status(top)
    with pytest.raises(ConflictError, match="cannot create branch taken"):
        apply_patch(reopen(top), patch, branch="taken")
    assert (refs(top), status(top)) == (before, seen)


def test_commit_contains_the_patch_and_leaves_a_clean_tree(top, reopen):
    head = repos.head(top)
    patch = repos.patch(top, CHANGE)
    applied = apply_patch(reopen(top), patch, commit=MESSAGE)
    assert applied == repos.git(top, "rev-parse", "main")
    assert repos.git(top, "rev-parse", "main~1") == head
    assert repos.diff(top, head, "main", options=("-M",)) == patch
    assert (status(top), repos.git(top, "diff-files"), repos.git(top, "fsck")) == ([], "", "")
    shown = repos.git(top, "log", "-1", "--format=%an <%ae>%n%B")
    assert shown == "Ada <ada@example.com>\n" + MESSAGE.message


def test_commit_on_a_new_branch_keeps_the_old_one(top, reopen):
    head, patch = repos.head(top), repos.patch(top, CHANGE)
    applied = apply_patch(reopen(top), patch, branch="side", commit=MESSAGE)
    assert repos.git(top, "rev-parse", "side") == applied
    assert repos.git(top, "rev-parse", "main") == head
    assert status(top) == []


def test_users_changes_are_not_committed(top, reopen):
    patch = repos.patch(top, CHANGE)
    mine = repos.replace_line(BASE["a.txt"], 18, "mine\n")
    repos.write(top, {"a.txt": mine, "c.txt": "mine\n", "staged.txt": "mine\n", "own": "mine\n"})
    repos.git(top, "add", "staged.txt")
    applied = apply_patch(reopen(top), patch, commit=MESSAGE)
    assert names(top, applied) == set(CHANGE)
    assert repos.git(top, "show", "main:a.txt") + "\n" == CHANGE["a.txt"]
    assert (top / "a.txt").read_text() == repos.replace_line(mine, 3, "three\n")
    assert status(top) == [" M a.txt", " M c.txt", "A  staged.txt", "?? own"]


def test_staged_changes_of_a_file_in_the_patch_are_refused(top, reopen, untouched):
    patch = repos.patch(top, CHANGE)
    repos.write(top, {"a.txt": repos.replace_line(BASE["a.txt"], 18, "mine\n")})
    repos.git(top, "add", "a.txt")
    with untouched(top), pytest.raises(ConflictError, match=r"a\.txt has staged changes"):
        apply_patch(reopen(top), patch, commit=MESSAGE)


def test_patch_based_on_uncommitted_changes_is_refused(top, reopen, untouched):
    mine = repos.replace_line(BASE["a.txt"], 3, "mine\n")
    repos.write(top, {"a.txt": mine})
    patch = repos.diff(top, "HEAD").replace(b"-line 3\n+mine\n", b"-mine\n+three\n")
    repo = reopen(top)
    with (
        untouched(top),
        pytest.raises(ConflictError, match="does not apply to the last commit alone"),
    ):
        apply_patch(repo, patch, commit=MESSAGE)
    apply_patch(repo, patch)
    assert (top / "a.txt").read_text() == CHANGE["a.txt"]


def test_three_way_commit(top, reopen, untouched):
    patch = repos.patch(top, {"a.txt": repos.replace_line(BASE["a.txt"], 10, "ten\n")})
    moved = repos.replace_line(BASE["a.txt"], 7, "seven\n")
    repos.commit(top, {"a.txt": moved.replace("line 8\n", "line 8\nline 8b\n")})
    repo = reopen(top)
    with untouched(top), pytest.raises(ConflictError):
        apply_patch(repo, patch, commit=MESSAGE)
    apply_patch(repo, patch, commit=MESSAGE, three_way=True)
    text = repos.git(top, "show", "main:a.txt")
    assert all(line in text for line in ("seven", "line 8b", "ten"))
    assert status(top) == []
    repos.commit(top, {"a.txt": "x\n"})
    with untouched(top), pytest.raises(ConflictError):
        apply_patch(repo, patch, commit=MESSAGE, three_way=True)
    repos.git(top, "checkout", "-q", "--detach", "HEAD~1")
    with pytest.raises(ConflictError, match="already committed"):
        apply_patch(repo, patch, commit=MESSAGE, three_way=True)
    assert status(top) == []


def test_user_hooks_run_and_see_only_the_patch(top, tmp_path, reopen, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("VIRTUAL_ENV", "/some/venv")
    out = tmp_path / "out"
    hook(
        top,
        "pre-commit",
        f"git diff --cached --name-only --no-renames -z >'{out}'; env >'{out}.env'",
    )
    hook(top, "commit-msg", 'echo "Signed-off-by: hook" >>"$1"')
    hook(top, "post-commit", f"git log -1 --format=%s >'{out}.post'")
    repos.write(top, {"c.txt": "mine\n"})
    repos.git(top, "add", "c.txt")
    patch = repos.patch(top, CHANGE)
    apply_patch(reopen(top), patch, commit=MESSAGE)
    assert set(out.read_text().split("\0")[:-1]) == set(CHANGE)
    assert repos.git(top, "log", "-1", "--format=%B").endswith("Signed-off-by: hook\n")
    assert (tmp_path / "out.post").read_text() == "Change line 3\n"
    environment = (tmp_path / "out.env").read_text()
    assert "VIRTUAL_ENV=/some/venv" in environment
    assert "very-secret" not in environment
    assert status(top) == ["M  c.txt"]


def test_hook_that_adds_to_the_commit(top, reopen):
    hook(top, "pre-commit", "echo stamped >stamp.txt; git add stamp.txt")
    applied = apply_patch(reopen(top), repos.patch(top, CHANGE), commit=MESSAGE)
    assert names(top, applied) == {*CHANGE, "stamp.txt"}
    assert status(top) == []


@pytest.mark.parametrize("branch", [None, "side"])
@pytest.mark.parametrize("name", ["pre-commit", "commit-msg"])
def test_failing_hook_undoes_everything(top, reopen, name, branch):
    repos.write(top, {"c.txt": "mine\n", "own": "mine\n"})
    repos.git(top, "add", "c.txt")
    hook(top, name, "echo 'secret found in a.txt' >&2; echo spoilt >a.txt; exit 1")
    patch = repos.patch(top, CHANGE)
    before = repos.fingerprint(top)
    with pytest.raises(PolicyError, match=r"git commit failed: secret found in a\.txt") as caught:
        apply_patch(reopen(top), patch, branch=branch, commit=MESSAGE)
    assert caught.value.hint
    after = repos.fingerprint(top)
    changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
    allowed = {".git/logs/HEAD"} if branch else set()  # the log tells of both moves
    left = {
        name
        for name in changed - allowed
        if not name.startswith((".git/objects", ".git/COMMIT_EDITMSG"))
    }
    assert left - {".git/logs/refs/heads", ".git/logs/refs"} == set()
    assert (top / "a.txt").read_text() == BASE["a.txt"]


def test_failed_commit_returns_to_a_detached_head(top, reopen):
    repos.git(top, "checkout", "-q", "--detach")
    hook(top, "pre-commit", "exit 1")
    before = refs(top)
    with pytest.raises(PolicyError, match="a hook failed"):
        apply_patch(reopen(top), repos.patch(top, CHANGE), branch="side", commit=MESSAGE)
    assert refs(top) == before
    assert status(top) == []


@pytest.mark.parametrize(
    ("name", "what"),
    [("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick"), ("rebase-merge", "rebase")],
)
def test_no_branch_or_commit_during_a_merge_or_rebase(top, reopen, untouched, name, what):
    patch = repos.patch(top, CHANGE)
    (top / ".git" / name).write_text(repos.head(top))
    for options in ({"branch": "side"}, {"commit": MESSAGE}):
        with (
            untouched(top),
            pytest.raises(ConflictError, match=f"a {what} is in progress") as caught,
        ):
            apply_patch(reopen(top), patch, **options)
        assert caught.value.hint == f"git {what} --continue, or git {what} --abort"


def test_missing_identity_is_a_one_line_error(top, reopen, untouched, monkeypatch):
    patch = repos.patch(top, CHANGE)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    with untouched(top), pytest.raises(UsageError, match="git does not know who you are") as caught:
        apply_patch(reopen(top), patch, commit=MESSAGE)
    assert "git config --global user.name" in caught.value.hint
    repos.git(top, "config", "user.name", "Grace")
    repos.git(top, "config", "user.email", "grace@example.com")
    apply_patch(reopen(top), patch, commit=MESSAGE)
    assert repos.git(top, "log", "-1", "--format=%an %ce") == "Grace grace@example.com"


@pytest.mark.parametrize("message", ["", " \n\t\n"])
def test_empty_message_is_refused(top, reopen, untouched, message):
    patch = repos.patch(top, CHANGE)
    with untouched(top), pytest.raises(UsageError, match="message is empty"):
        apply_patch(reopen(top), patch, commit=CommitRequest(message))


def test_locked_index_is_refused_before_anything_is_written(top, reopen, untouched):
    patch = repos.patch(top, CHANGE)
    (top / ".git/index.lock").touch()
    with untouched(top), pytest.raises(ConflictError, match="another git process"):
        apply_patch(reopen(top), patch, commit=MESSAGE)
    apply_patch(reopen(top), patch)  # without a commit the index is of no concern


def test_commit_in_a_linked_worktree_and_in_sha256(tmp_path, reopen):
    top = repos.build(tmp_path / "r", BASE, sha256=True)
    repos.git(top, "worktree", "add", "-q", "-b", "side", str(tmp_path / "w"))
    patch = repos.patch(top, CHANGE)
    applied = apply_patch(reopen(tmp_path / "w"), patch, commit=MESSAGE)
    assert repos.git(top, "rev-parse", "side") == applied
    assert len(applied) == 64
    assert (status(top), status(tmp_path / "w")) == ([], [])


def test_commit_with_autocrlf_stores_lf(top, reopen):
    repos.git(top, "config", "core.autocrlf", "true")
    patch = repos.patch(top, {"c.txt": "c\nd\n"})
    apply_patch(reopen(top), patch, commit=MESSAGE)
    assert repos.git(top, "cat-file", "blob", "main:c.txt") == "c\nd"
    assert (top / "c.txt").read_bytes() == b"c\r\nd\r\n"
    assert status(top) == []


def test_many_commits_one_after_another(top, reopen):
    repo = reopen(top)
    for n in range(2):
        patch = repos.patch(top, {f"n{n}": f"{n}\n"})
        made = apply_patch(repo, patch, commit=CommitRequest(f"Add {n}"))
        assert repo.resolve("HEAD") == made
    assert repos.git(top, "rev-list", "--count", "HEAD") == "3"


def test_index_that_is_locked_during_the_commit(top, reopen):
    hook(top, "post-commit", "touch .git/index.lock")
    with pytest.raises(ConflictError, match=r"committed as .* but the index is locked") as caught:
        apply_patch(reopen(top), repos.patch(top, CHANGE), commit=MESSAGE)
    made = repos.head(top)
    assert made[:12] in caught.value.message
    assert (top / "a.txt").read_text() == CHANGE["a.txt"]
    (top / ".git/index.lock").unlink()
    repos.git(top, *caught.value.hint.split()[1:])
    assert status(top) == []


def test_interrupt_during_a_hook_undoes_everything(top):
    hook(top, "pre-commit", "kill -INT $PPID; kill -INT $DURSOR; sleep 5")
    patch, before = repos.patch(top, CHANGE), refs(top)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from dursor.vcs import environment\n"
        "from dursor.vcs.apply.commit import CommitRequest\n"
        "from dursor.vcs.repository import Repository\n"
        "from dursor.vcs.apply.apply import apply_patch\n"
        "os.environ['DURSOR'] = str(os.getpid())\n"
        "environment.COMMIT += '|DURSOR'\n"
        "repo = Repository.open(Path(sys.argv[1]))\n"
        "try:\n"
        "    apply_patch(repo, sys.stdin.buffer.read(), branch='side', commit=CommitRequest('x'))\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(top)],
        input=patch,
        capture_output=True,
        check=True,
        env=os.environ,
        timeout=30,
    )
    assert done.stdout == b"interrupted\n"
    assert (refs(top), status(top)) == (before, [])
