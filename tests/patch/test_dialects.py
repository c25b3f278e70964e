"""Dialects of edits: for each, replies that apply and replies that are refused."""

import json

import pytest
from replies import tree

from dursor.errors import PatchError, PolicyError
from dursor.patch.policy import check_policy
from dursor.patch.resolve import resolve
from dursor.pathrules import PathRules

BASE = "class A:\n    def f(self):\n        x = 1\n        return x\n\n    def g(self):\n        return 2\n"
TWICE = "\ndef h():\n        x = 1\n        return x\n"
WANTED = BASE.replace("x = 1", "x = 3")
REFUSED = None
OLD, NEW = "        x = 1\n        return x", "        x = 3\n        return x"
EDIT = {"old_str": OLD, "new_str": NEW}
DIFF = "--- a/src/a.py\n+++ b/src/a.py\n@@ -3,2 +3,2 @@\n-        x = 1\n+        x = 3\n         return x\n"
ENVELOPE = "*** Begin Patch\n*** Update File: src/a.py\n@@\n-        x = 1\n+        x = 3\n*** End Patch\n"


def call(**fields):
    return json.dumps(fields)


def calls(*fields):
    return json.dumps(list(fields), indent=2)


def cline(old=OLD, new=NEW, head="------- SEARCH", middle="=======", end="+++++++ REPLACE"):
    return f"src/a.py\n{head}\n{old}\n{middle}\n{new}\n{end}\n"


def invoke(**fields):
    body = "".join(f'<parameter name="{key}">{text}</parameter>\n' for key, text in fields.items())
    return f'<invoke name="str_replace">\n{body}</invoke>\n'


def function(**fields):
    body = "".join(f"<parameter={key}>\n{text}\n</parameter>\n" for key, text in fields.items())
    return f"<tool_call>\n<function=edit>\n{body}</function>\n</tool_call>\n"


def pair(head, old="search", new="replace", tail=""):
    return f"{head}\n<{old}>\n{OLD}\n</{old}>\n<{new}>\n{NEW}\n</{new}>\n{tail}"


def numbered(text, start=3, mark=" | "):
    lines = text.split("\n")
    return "\n".join(f"{n:4}{mark}{line}" for n, line in enumerate(lines, start))


def block(old=OLD, new=NEW):
    return f"src/a.py\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"


JSON = [
    (call(command="str_replace", path="src/a.py", **EDIT), WANTED),
    (call(name="str_replace_editor", arguments={"path": "src/a.py", **EDIT}), WANTED),
    (call(name="edit", arguments=call(path="src/a.py", **EDIT)), WANTED),
    ("```json\n" + call(file_path="src/a.py", old_string=OLD, new_string=NEW) + "\n```\n", WANTED),
    (
        "Done:\n" + call(file_path="src/a.py", edits=[{"old_string": "x = 1", "new_string": "x = 3"}]),
        WANTED,
    ),
    (calls({"path": "src/a.py", "old_str": "        return 2", "new_str": "        return 4"},
           {"path": "src/a.py", **EDIT}), WANTED.replace("return 2", "return 4")),
    (call(input=ENVELOPE), WANTED),
    (call(command=["apply_patch", ENVELOPE]), WANTED),
    (call(command="str_replace", path="src/a.py", old_str="x = 9", new_str="x = 3"), REFUSED),
    (call(command="insert", path="src/a.py", insert_line=2, new_str="x"), REFUSED),
    (call(path="src/a.py", old_str="        x = 1\n", new_str="        x = 3"), REFUSED),
    (call(old_str=OLD, new_str=NEW), REFUSED),
    (call(path="src/a.py", **EDIT)[:-2], REFUSED),
    (call(path="src/a.py", **EDIT) + "\n" + call(path="src/a.py", **EDIT)[:-4], REFUSED),
    (call(path="src/no.py", **EDIT), REFUSED),
    ("```json\n" + call(path="src/a.py", code="x") + "\n```\n", REFUSED),
]  # fmt: skip
TAGS = [
    (pair('<edit path="src/a.py">', tail="</edit>\n"), WANTED),
    (pair("<change file='src/a.py'>", "old_text", "new_text", "</change>\n"), WANTED),
    (pair("<file_path>\nsrc/a.py\n</file_path>", "old_string", "new_string"), WANTED),
    (pair('<replace_in_file file_path="src/a.py">', "find", "replace"), WANTED),
    (f'<file path="src/a.py">\n{WANTED}</file>\n', WANTED),
    (f"<write_to_file>\n<path>src/a.py</path>\n<content>\n{WANTED}</content>\n</write_to_file>\n", WANTED),
    (f'<file path="src/a.py">\n<source>\n{WANTED}</source>\n</file>\n', WANTED),
    ("```xml\n" + pair('<edit path="src/a.py">') + "</edit>\n```\n", WANTED),
    (pair('<edit path="src/no.py">'), REFUSED),
    (pair("<edit>"), REFUSED),
    (pair('<edit path="src/a.py">').replace("</replace>", ""), REFUSED),
    (pair('<edit path="src/a.py">').replace("x = 1", "x = 9"), REFUSED),
    (f'<file path="src/a.py">\n{WANTED}', REFUSED),
    ('<file path="src/a.py">\n    def g(self):\n        return 5\n</file>\n', REFUSED),
    (pair('<edit path="src/a.py">') + "<new_str>\ny\n</new_str>\n", REFUSED),
]  # fmt: skip
CALLS = [
    (invoke(command="str_replace", path="src/a.py", **EDIT), WANTED),
    (invoke(file_path="src/a.py", old_string=OLD, new_string=NEW), WANTED),
    (function(path="src/a.py", **EDIT), WANTED),
    (function(command="str_replace", path="/testbed/src/a.py", **EDIT), WANTED),
    (f"<function_calls>\n{invoke(path='src/a.py', file_text=WANTED)}</function_calls>\n", WANTED),
    (invoke(**EDIT), REFUSED),
    (function(path="src/a.py", old_str=OLD), REFUSED),
    (function(path="src/a.py", new_str=NEW), REFUSED),
    (invoke(path="src/a.py", **EDIT).replace("</parameter>\n</invoke>\n", ""), REFUSED),
    (invoke(path="src/a.py", old_str="x = 9", new_str="x"), REFUSED),
]
CLINE = [
    (cline(), WANTED),
    (f"```\n{cline()}```\n", WANTED),
    (cline(head="<<<<<<< SEARCH", end=">>>>>>> REPLACE"), WANTED),
    (cline(head="<<<<<<< SEARCH\n:start_line:3\n-------", end=">>>>>>> REPLACE"), WANTED),
    (
        "<apply_diff>\n<path>src/a.py</path>\n<diff>\n"
        + cline(
            head="<<<<<<< SEARCH\n:start_line: 3\n:end_line: 4\n-------", end=">>>>>>> REPLACE"
        )[9:]
        + "</diff>\n</apply_diff>\n",
        WANTED,
    ),
    (cline(end=">>>>>>> REPLACE"), REFUSED),
    (cline(end=""), REFUSED),
    (cline(middle="-------"), REFUSED),
    (cline(head="no marker"), REFUSED),
    (cline(new=f"{NEW}\n======="), REFUSED),
    (cline(new=f"{NEW}\n<<<<<<< HEAD"), REFUSED),
    (cline() + "\n+++++++ REPLACE\n", REFUSED),
]
PATHS = [
    (DIFF.replace("src/a.py", "src\\a.py"), WANTED),
    (block().replace("src/a.py", "src\\a.py"), WANTED),
    (DIFF.replace("a/src/a.py", "/testbed/src/a.py").replace("b/src/a.py", "/testbed/src/a.py"), WANTED),
    (ENVELOPE.replace("src/a.py", "/workspace/project/src/a.py"), WANTED),
    (f"`.\\src\\a.py`\n\n```python\n{WANTED}```\n", WANTED),
    (DIFF.replace("src/a.py", "lib\\a.py"), REFUSED),
    (DIFF.replace("src/a.py", "a.py"), REFUSED),
    (block().replace("src/a.py", "/srv/src/a.py"), REFUSED),
    (block().replace("src/a.py", "src\\\\\\a.py"), REFUSED),
    (f"```diff\n{DIFF.replace('src/a.py', 'testbed/a.py')}```\n", REFUSED),
]  # fmt: skip
FILEPATHS = [
    (f"```python\n# filepath: src/a.py\n{WANTED}```\n", WANTED),
    (f"```python\n# filepath: /workspace/src/a.py\n{WANTED}```\n", WANTED),
    (f"```js\n// filepath: src/a.py\n{WANTED}```\n", WANTED),
    (f"src/a.py\n```python\n# filepath: src/a.py\n{WANTED}```\n", WANTED),
    (f"```python\n# filepath: src/a.py\n{block()[9:]}```\n", WANTED),
    ("```python\n# filepath: src/a.py\n# ...existing code...\nx = 3\n```\n", REFUSED),
    (f"```python\n# filepath: src/a.py\n{WANTED}", REFUSED),
    ("```python\n# filepath: a file\nx = 3\n```\n", REFUSED),
    ("```python\n# filepath: src/a.py\n        x = 3\n```\n", REFUSED),
    (f"```python\n# filepath: /srv/src/a.py\n{WANTED}```\n", REFUSED),
]
HEREDOCS = [
    (f"```bash\ngit apply <<'EOF'\n{DIFF}EOF\n```\n", WANTED),
    (f"```sh\n$ git apply - <<EOF\n{DIFF}EOF\ngit commit -am x\n```\n", WANTED),
    (f'```bash\npatch -p1 <<-"PATCH"\n{DIFF}PATCH\n```\n', WANTED),
    (f"apply_patch <<'EOF'\n{ENVELOPE}EOF\n", WANTED),
    (f"```\ncd x && true\n```\n\n```bash\napply_patch << 'EOF'\n{ENVELOPE}EOF\n```\n", WANTED),
    (f"```bash\ngit apply <<'EOF'\n{DIFF[:-20]}", REFUSED),
    (f"```bash\ngit apply <<'EOF'\n{DIFF}E\n```\n", REFUSED),
    (f"```bash\ngit apply <<'EOF'\n{DIFF.replace('x = 1', 'x = 9')}EOF\n```\n", REFUSED),
    ("```bash\nsed -i s/1/3/ src/a.py <<'EOF'\nEOF\n```\n", REFUSED),
    ("```bash\ncat > src/a.py <<'EOF'\nx\nEOF\n```\n", REFUSED),
]


def anchored(anchor, body="-        x = 1\n+        x = 3\n"):
    return f"*** Begin Patch\n*** Update File: src/b.py\n@@ {anchor}\n{body}*** End Patch\n"


def hunk(anchor):
    return f"--- a/src/b.py\n+++ b/src/b.py\n@@ {anchor}\n-        x = 1\n+        x = 3\n"


CHANGED = WANTED + TWICE
ANCHORS = [
    (anchored("def f(self):"), CHANGED),
    (anchored("def f"), CHANGED),
    (anchored("class A:\n@@ def f"), CHANGED),
    (hunk("def f"), CHANGED),
    (hunk("def f(self): @@"), CHANGED),
    (anchored("def"), REFUSED),
    (anchored("def fg"), REFUSED),
    (anchored("class A:\n@@ def h"), REFUSED),
    (hunk("def"), REFUSED),
    (hunk("..."), REFUSED),
]
MARGINS = [
    (block(OLD.lstrip(), NEW.lstrip()), WANTED),
    (block("x = 1", "x = 3"), WANTED),
    (pair('<edit path="src/a.py">').replace(OLD, OLD.lstrip()).replace(NEW, NEW.lstrip()), WANTED),
    (block("def f(self):\n    x = 1\n    return x", "def f(self):\n    x = 3\n    return x"), WANTED),
    (block(OLD.lstrip(), "y = 0\n" + NEW), WANTED.replace("        x = 3", "        y = 0\n        x = 3")),
    (block("x = 1", "if x:\n    x = 3"), REFUSED),
    (block("x = 1", "        x = 3"), REFUSED),
    (block(OLD.lstrip(), NEW), REFUSED),
    (block("return x\n\n    def h(self):", "return y\n\n    def h(self):"), REFUSED),
    (block("return", "return 3"), REFUSED),
]  # fmt: skip
COLUMNS = [
    (block(numbered(OLD), numbered(NEW)), WANTED),
    (block(numbered(OLD), NEW), WANTED),
    (block(numbered(OLD, mark="\t"), numbered(NEW, mark="\t")), WANTED),
    (block(numbered(OLD, mark=": "), numbered(NEW, mark=": ")), WANTED),
    (f"src/a.py\n```python\n{numbered(WANTED, 1)[:-8]}\n```\n", WANTED),
    (block(numbered(OLD, 3).replace("4", "7"), numbered(NEW)), REFUSED),
    (block(numbered(OLD), numbered("        x = 3") + "\n        return x"), REFUSED),
    (block(numbered(OLD.replace("1", "9")), numbered(NEW)), REFUSED),
    (f"src/a.py\n```python\n{numbered(OLD)}\n```\n", REFUSED),
    (block(numbered(OLD, mark=" "), numbered(NEW, mark=" ")), REFUSED),
]
DIALECTS = {
    "json": JSON, "tags": TAGS, "calls": CALLS, "cline": CLINE, "paths": PATHS,
    "filepath": FILEPATHS, "heredoc": HEREDOCS, "anchors": ANCHORS, "margins": MARGINS,
    "columns": COLUMNS,
}  # fmt: skip
CASES = [
    pytest.param(reply, wanted, id=f"{name}-{number}")
    for name, cases in DIALECTS.items()
    for number, (reply, wanted) in enumerate(cases)
]


@pytest.mark.parametrize(("reply", "wanted"), CASES)
def test_a_reply_is_applied_as_meant_or_refused(reply, wanted):
    base = tree(**{"src/a__py": BASE, "src/b__py": BASE + TWICE})
    if wanted is REFUSED:
        with pytest.raises((PatchError, PolicyError)):
            check_policy(base, resolve(reply, base), PathRules(), max_files=50)
        return
    changes = resolve(reply, base).changes
    assert [state.data.decode() for state in changes.values()] == [wanted]


def test_a_rule_of_dashes_belongs_to_the_text_it_begins():
    base = tree(**{"src/a__md": "-------\nfoo\n"})
    reply = cline("-------\nfoo", "-------\nbar").replace("a.py", "a.md")
    assert resolve(reply, base).changes["src/a.md"].data == b"-------\nbar\n"


def test_a_json_file_may_look_like_a_call():
    text = call(path="src/a.py", content="x")
    changes = resolve(f"`calls.json`:\n\n```json\n{text}\n```\n", tree(a="x")).changes
    assert {path: state.data for path, state in changes.items()} == {
        "calls.json": text.encode() + b"\n"
    }


@pytest.mark.parametrize("cases", DIALECTS.values(), ids=DIALECTS)
def test_half_of_ten_cases_are_refused(cases):
    assert len(cases) >= 10
    assert sum(wanted is REFUSED for _, wanted in cases) >= 5
