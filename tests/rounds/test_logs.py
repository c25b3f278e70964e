"""What `log_level` adds to the story on stderr."""

from front import DIFF, KEYS, Front


def test_debug_tells_of_git_and_of_requests_without_keys(front: Front):
    front.answers(DIFF)
    front.configure(log_level="debug")

    done = front.process("run", "append a line", "-m", "gpt", "-m", "claude", "-m", "gemini")

    assert done.exit_code == 0
    assert "DEBUG dursor.vcs.command: git" in done.stderr
    assert "INFO httpx: HTTP Request: POST" in done.stderr
    assert not any(key in done.stderr + done.stdout for key in KEYS.values())


def test_without_it_only_the_story_is_told(front: Front):
    front.answers(DIFF, models=["gpt"])

    done = front.process("run", "append a line", "-m", "gpt")

    assert "DEBUG" not in done.stderr
    assert "INFO" not in done.stderr
