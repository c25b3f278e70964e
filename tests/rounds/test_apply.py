"""`run apply` and `patch --apply` at the front door."""

import repos
from front import DIFF, Front

KILLED = """\
import os, signal
from dursor.vcs import moving
real, done = moving.move, []
def move(source, target):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(target)
    real(source, target)
moving.move = move
"""


def test_the_next_command_undoes_an_apply_that_was_killed(front: Front):
    repos.write(front.home, {"poison/sitecustomize.py": KILLED})
    before = repos.fingerprint(front.repo)
    reply = (
        DIFF
        + "\n```diff\n--- a/calc.py\n+++ b/calc.py\n@@ -1 +1 @@\n def add(a, b):\n+    # b\n```\n"
    )

    front.extra["PYTHONPATH"] = str(front.home / "poison")
    killed = front.process("patch", "-", "--apply", input=reply)
    del front.extra["PYTHONPATH"]
    assert (killed.exit_code, killed.stderr) == (-9, "")
    assert repos.fingerprint(front.repo) != before
    next_ = front.process("run", "list")

    assert next_.stderr.splitlines()[0] == (
        f"warning: undid an apply that was killed in {front.repo}"
    )
    assert repos.fingerprint(front.repo) == before
    assert front.process("patch", "-", "--apply", input=reply).stderr == ""
