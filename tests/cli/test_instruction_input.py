"""The sources of an instruction, and refused texts."""

import fake_app
import pytest

from dursor.cli.input.instruction_input import read_instruction
from dursor.errors import UsageError
from dursor.services.results import ResolvedPatch, RoundResult

DONE = {"rounds.start": RoundResult(fake_app.TASK, fake_app.ROUND, (fake_app.RUN,))}


def sent(done):
    assert done.exit_code == 0, done.stderr
    return done.app.only_call[1][0].instruction


def test_a_dash_reads_stdin(dursor):
    assert sent(dursor("run", "-", input="Fix it\nall\n", answers=DONE)) == "Fix it\nall"


def test_a_file_is_read(dursor, tmp_path):
    file = tmp_path / "task.md"
    file.write_bytes("\ufeffFix it\r\nnaïvely\r\n".encode())
    assert sent(dursor("run", "--instruction-file", str(file), answers=DONE)) == "Fix it\nnaïvely"


def test_stdin_is_not_read_otherwise(dursor):
    assert sent(dursor("run", "Fix it now", input="not this", answers=DONE)) == "Fix it now"


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_an_empty_instruction_is_refused(dursor, text):
    done = dursor("run", text, "-m", "gpt", answers=DONE)
    assert (done.exit_code, done.app.calls) == (2, [])
    assert done.stderr.startswith("error: the instruction is empty\n")


def test_an_empty_stdin_is_refused(dursor):
    assert dursor("run", "-", input=" \n", answers=DONE).exit_code == 2


def test_text_cannot_be_combined_with_a_file(dursor, tmp_path):
    file = tmp_path / "task.md"
    file.write_text("Fix it")
    done = dursor("run", "Fix it now", "--instruction-file", str(file), answers=DONE)
    assert (done.exit_code, done.app.calls) == (2, [])
    assert "cannot be combined with" in done.stderr


@pytest.mark.parametrize("name", ["none", "."])
def test_an_unreadable_file_is_refused(dursor, tmp_path, name):
    done = dursor("run", "--instruction-file", str(tmp_path / name), answers=DONE)
    assert (done.exit_code, done.app.calls) == (2, [])
    assert done.stderr.startswith("error: cannot read ")


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a\0b"])
def test_binary_data_is_refused(dursor, tmp_path, data):
    file = tmp_path / "task.bin"
    file.write_bytes(data)
    done = dursor("run", "--instruction-file", str(file), answers=DONE)
    assert done.exit_code == 2
    assert "not" in done.stderr


def test_undecodable_arguments_are_refused(dursor):
    assert dursor("run", "fix \udcff", answers=DONE).exit_code == 2
    assert dursor("task", "new", "\udcff", answers={}).exit_code == 2


def test_no_text_without_a_terminal_is_refused(dursor):
    done = dursor("run", "-m", "gpt", answers=DONE)
    assert (done.exit_code, done.app.calls) == (2, [])
    assert done.stderr.startswith("error: TEXT is missing")


def test_context_reads_its_text_in_the_same_way(dursor):
    answers = {"rounds.context": fake_app.PLAN}
    done = dursor("context", "-", input="Fix it", answers=answers)
    assert done.app.only_call[1][0].instruction == "Fix it"
    assert dursor("context", answers=answers).exit_code == 2


def test_a_title_and_a_message_are_read_from_stdin(dursor):
    done = dursor(
        "task", "say", "7d1f", "-", input="also page 0\n", answers={"tasks.say": fake_app.MESSAGE}
    )
    assert done.app.only_call == ("tasks.say", ("7d1f", "also page 0"), {})
    for words in (["say", "7d1f", " "], ["new", ""], ["rename", "7d1f", "\t"]):
        refused = dursor("task", *words)
        assert refused.exit_code == 2
        assert refused.stderr.startswith("error: the ")


def test_a_reply_is_read_as_bytes(dursor, tmp_path):
    reply = tmp_path / "reply.md"
    reply.write_bytes(b"\xff reply")
    answers = {
        "patches.resolve": ResolvedPatch(fake_app.PATCH, (fake_app.CHANGED,), ("be careful",))
    }
    done = dursor("patch", str(reply), "--base", "v1", answers=answers)
    assert done.app.only_call == ("patches.resolve", (b"\xff reply", None, "v1"), {})
    assert (done.stdout, done.stderr) == (fake_app.PATCH, "warning: be careful\n")
    assert dursor("patch", "-", input="x", answers=answers).app.only_call[1][0] == b"x"
    assert dursor("patch", answers=answers).exit_code == 2
    assert dursor("patch", str(tmp_path / "none"), answers=answers).exit_code == 2


def test_a_patch_is_printed_byte_for_byte(dursor, process):
    done = dursor("run", "diff", "3fa1", "--json", answers={"runs.find": fake_app.ODD})
    assert done.json["data"] == {"patch": fake_app.ODD.patch}
    assert process("run", "diff", "3fa1", scenario="odd").stdout == "+caf\udce9 \x1b[2J\r\n"


def test_a_run_without_a_patch_has_no_diff(dursor):
    done = dursor("run", "diff", "dead", answers={"runs.find": fake_app.FAILED})
    assert done.exit_code == 2
    assert done.stderr.startswith("error: run dead0001 has no patch: its status is failed\n")


def test_the_hint_names_the_command():
    with pytest.raises(UsageError) as caught:
        read_instruction(" ", None, "dursor context")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("dursor context ")
