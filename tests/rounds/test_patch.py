"""`patch`: a reply from anywhere becomes a patch of this repository."""

import pytest
import repos
from command_line import DIFF, README, CommandLine

CRLF = {"sub/win.txt": b"one\r\ntwo\r\nthree"}
TWO = "--- a/sub/win.txt\n+++ b/sub/win.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
REPLIES = {
    "diff": f"Sure.\n\n```diff\n{TWO}```\n",
    "bare diff": TWO,
    "block": "sub/win.txt\n```\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n```\n",
    "envelope": "*** Begin Patch\n*** Update File: sub/win.txt\n@@\n-two\n+2\n*** End Patch\n",
    "tagged": "<file>sub/win.txt</file>\n<original>\ntwo\n</original>\n<patched>\n2\n</patched>\n",
    "whole file": "sub/win.txt\n```\none\n2\nthree\n```\n",
}


def test_every_format_becomes_the_same_patch_in_a_subfolder_too(cli: CommandLine):
    repos.commit(cli.repo, CRLF)
    folder, reply = cli.repo / "sub", cli.home / "reply.md"
    patches = set()
    for text in REPLIES.values():
        reply.write_text(text)
        done = cli("patch", str(reply), "--json", cwd=folder)
        assert {*done.data} == {"patch", "files_changed", "warnings"}
        patches.add(done.data["patch"])
    repos.git(cli.repo, "apply", "--check", "-", stdin=patches.pop().encode())
    assert not patches

    applied = cli("patch", "-", "--apply", cwd=folder, input=text)

    assert applied.exit_code == 0, applied.stderr
    assert (folder / "win.txt").read_bytes() == b"one\r\n2\r\nthree"


def test_a_base_may_be_named_and_the_change_applied_elsewhere(cli: CommandLine):
    repos.git(cli.repo, "tag", "v1")
    repos.commit(cli.repo, {"README.md": "line 0\n" + README})

    assert "@@ -1,3 +1,4 @@" in cli("patch", "-", "--base", "v1", input=DIFF).stdout
    assert "@@ -2,3 +2,4 @@" in cli("patch", "-", input=DIFF).stdout
    done = cli("patch", "-", "--base", "nope", input=DIFF)
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_replies_in_other_encodings_are_read(cli: CommandLine, encoding: str):
    repos.commit(cli.repo, {"old.txt": "naïve\nx\n".encode("latin-1")})
    reply = "--- a/old.txt\n+++ b/old.txt\n@@ -1,2 +1,2 @@\n naïve\n-x\n+déjà vu\n"
    (cli.home / "reply.md").write_bytes(reply.encode(encoding))

    done = cli("patch", str(cli.home / "reply.md"), "--apply")

    assert done.exit_code == 0, done.stderr
    assert (cli.repo / "old.txt").read_bytes() == "naïve\ndéjà vu\n".encode("latin-1")


def test_quoting_margins_and_colours_of_a_pasted_reply_are_removed(cli: CommandLine):
    wanted = cli("patch", "-", input=DIFF).stdout
    lines = DIFF.splitlines()
    coloured = "".join(f"\x1b[1;31m{line}\x1b[m\n" for line in lines)
    quoted = "".join(f"> {line}".rstrip() + "\r\n" for line in lines)
    for reply in (coloured, quoted, "".join(f"    {line}\n" for line in lines)):
        done = cli("patch", "-", input=reply)
        assert (done.exit_code, done.stdout) == (0, wanted)


def test_quoting_does_not_hide_a_forbidden_path(cli: CommandLine):
    done = cli("patch", "-", input="> --- /dev/null\n> +++ b/.env\n> @@ -0,0 +1 @@\n> +x=1\n")
    assert (done.exit_code, done.stdout) == (7, "")


def test_an_error_names_the_first_line_that_differs(cli: CommandLine):
    done = cli("patch", "-", input=DIFF.replace("+line 4", "-line 9\n+line 4"))

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "error: README.md: the hunk does not match the file: 'line 9' was not found; "
        "the nearest text is at line 1\n"
    )
