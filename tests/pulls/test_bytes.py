"""What is committed is the run's patch, byte for byte, in a repository that is set to mislead."""

from pathlib import Path

import repos
from github_project import GitHubProject

REPLY = """All sorts.

```diff
diff --git a/cr lf.txt b/cr lf.txt
--- a/cr lf.txt
+++ b/cr lf.txt
@@ -1,2 +1,3 @@
 one
 two
+three
diff --git a/bare.txt b/bare.txt
--- a/bare.txt
+++ b/bare.txt
@@ -1,2 +1,2 @@
 first
-last
\\ No newline at end of file
+LAST
\\ No newline at end of file
diff --git a/old.bin b/new/näme.bin
similarity index 100%
rename from old.bin
rename to new/näme.bin
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/tool.sh b/tool.sh
old mode 100644
new mode 100755
diff --git a/added.sh b/added.sh
new file mode 100755
--- /dev/null
+++ b/added.sh
@@ -0,0 +1,2 @@
+#!/bin/sh
+echo $Id$
```
"""
FILES = {
    ".gitattributes": "* text=auto eol=crlf ident filter=spy\n*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "cr lf.txt": "one\r\ntwo\r\n",
    "bare.txt": "first\nlast",
    "old.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "gone.txt": "x\n",
    "tool.sh": "#!/bin/sh\n",
}
PLANTED = """
[core]
\tautocrlf = true
\tsafecrlf = true
\tfilemode = false
\tfsmonitor = {spy}
\thooksPath = {hooks}
[filter "spy"]
\tclean = {spy}
\tsmudge = {spy}
\trequired = true
[filter "lfs"]
\tclean = {spy}
\tsmudge = {spy}
\tprocess = {spy}
\trequired = true
[credential]
\thelper = {spy}
[http]
\tproxy = http://127.0.0.1:1/
\tsslVerify = false
[url "http://127.0.0.1:1/"]
\tinsteadOf = {url}/nothing-else/
\tpushInsteadOf = {url}/
[alias]
\tpush = !{spy}
[remote "origin"]
\tpushurl = ext::{spy}
\treceivepack = {spy}
[commit]
\tgpgSign = true
[gpg]
\tprogram = {spy}
"""


def mislead(project: GitHubProject, tmp_path: Path) -> Path:
    """Plant everything that git could be made to run; returns the file that it would write."""
    trace = tmp_path / "trace"
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\necho "$0 $@" >>"{trace}"; env >>"{trace}"; cat\n')
    spy.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "pre-commit", "reference-transaction", "post-index-change"):
        (hooks / name).symlink_to(spy)
        (project.cli.repo / ".git/hooks" / name).symlink_to(spy)
    config = project.cli.repo / ".git/config"
    planted = PLANTED.format(spy=spy, hooks=hooks, url=project.hub.url)
    config.write_text(config.read_text() + planted)
    (project.cli.repo / ".git/info/attributes").write_text("* filter=spy text eol=crlf\n")
    return trace


def test_replacement_objects_are_ignored(project: GitHubProject):
    """Only this clone has such replacements. A commit is the same everywhere."""
    top = project.cli.repo
    other = repos.git(top, "hash-object", "-w", "--stdin", stdin=b"evil\nline 3\n")
    repos.git(top, "replace", "HEAD:README.md", other)

    _, pr = project.open_pr()

    assert b"evil" not in project.cli.requests[-1].body
    assert project.remote.show(pr["branch"], "README.md") == b"line 1\nline 2\nline 3\nline 4"


def test_the_commit_is_the_patch(project: GitHubProject, tmp_path: Path):
    project.remote.commit("main", FILES)
    repos.git(project.cli.repo, "fetch", "-q", str(project.remote.path), "main")
    repos.git(project.cli.repo, "update-ref", "refs/heads/main", "FETCH_HEAD")
    trace = mislead(project, tmp_path)
    before = repos.fingerprint(project.cli.repo)

    run = project.run(REPLY)
    pr = project.succeed("pr", "create", "--run", run["id"])

    assert not trace.exists(), trace.read_text()
    assert repos.fingerprint(project.cli.repo) == before
    index = {"GIT_INDEX_FILE": str(tmp_path / "index")}
    project.remote.git("read-tree", run["base_commit"], env=index)
    patch = run["patch"].encode("utf-8", "surrogateescape")
    project.remote.git("apply", "--cached", "-", stdin=patch, env=index)
    expected = project.remote.git("write-tree", env=index)
    assert project.remote.git("rev-parse", f"{pr['branch']}^{{tree}}") == expected
    listing = project.remote.git("ls-tree", "-r", "-z", pr["branch"]).split("\0")[:-1]
    modes = {line.partition("\t")[2]: line[:6] for line in listing}
    assert modes == {
        ".gitattributes": "100644",
        "README.md": "100644",
        "added.sh": "100755",
        "bare.txt": "100644",
        "calc.py": "100644",
        "cr lf.txt": "100644",
        "new/näme.bin": "100644",
        "tool.sh": "100755",
    }
    assert (
        project.remote.git("cat-file", "blob", f"{pr['branch']}:cr lf.txt")
        == "one\r\ntwo\r\nthree\r"
    )
    assert project.remote.git("cat-file", "blob", f"{pr['branch']}:bare.txt") == "first\nLAST"

    repos.git(project.cli.repo, "status", ok=range(256))
    assert trace.exists(), "nothing that was planted works"
