"""Files that are not UTF-8 keep their encoding."""

import pytest
from replies import tree

from dursor.errors import PatchError
from dursor.patch.lines import decode, detect_codec
from dursor.patch.resolve import resolve

TEXTS = {
    "euc_jp": "# 設定を読み込みます。\nx = 1\n# テスト\n",
    "cp932": "# 設定を読み込みます。\nx = 1\n# テスト\n",
    "gbk": "# 读取配置文件。然后返回\nx = 1\n# 中文注释\n",
    "latin-1": "# façade élève\nx = 1\n# Größe übergeben\n",
    "cp1252": "# “quoted” 5 €\nx = 1\n# café … thé\n",
}
ADDED = {"euc_jp": "値", "cp932": "値", "gbk": "值", "latin-1": "é", "cp1252": "€"}


def diff(old, new):
    return f"--- a/a.py\n+++ b/a.py\n@@ @@\n-{old}\n+{new}\n"


@pytest.mark.parametrize("codec", TEXTS)
def test_the_encoding_is_recognized(codec):
    data = TEXTS[codec].encode(codec)
    assert detect_codec(data) == codec
    assert decode(data).encode() == data


@pytest.mark.parametrize("codec", TEXTS)
def test_a_file_keeps_its_encoding(codec):
    text = TEXTS[codec]
    base = tree(a__py=text.encode(codec))
    new = f"x = '{ADDED[codec]}'"
    wanted = text.replace("x = 1", new).encode(codec)
    assert resolve(diff("x = 1", new), base).changes["a.py"].data == wanted
    last = text.split("\n")[2]
    wanted = text.replace(last, f"{last} {ADDED[codec]}").encode(codec)
    reply = diff(last, f"{last} {ADDED[codec]}")
    assert resolve(reply, base).changes["a.py"].data == wanted


@pytest.mark.parametrize("codec", TEXTS)
def test_a_character_outside_the_encoding_is_refused(codec):
    with pytest.raises(PatchError, match="cannot hold '😀'"):
        resolve(diff("x = 1", "x = '😀'"), tree(a__py=TEXTS[codec].encode(codec)))


@pytest.mark.parametrize(
    ("text", "codec"), [("# 設定読込\nx = 1\n", "euc_jp"), ("# ﾃｽﾄ 半角カナ\nx = 1\n", "cp932")]
)
def test_context_proves_an_encoding_that_is_not_clear(text, codec):
    data = text.encode(codec)
    assert decode(data).encode() == data
    with pytest.raises(PatchError, match="unknown encoding"):
        resolve(diff("x = 1", "x = '値'"), tree(a__py=data))
    ascii_only = resolve(diff("x = 1", "x = 2"), tree(a__py=data))
    assert ascii_only.changes["a.py"].data == data.replace(b"1", b"2")
    first = text.split("\n")[0]
    reply = f"--- a/a.py\n+++ b/a.py\n@@ @@\n {first}\n-x = 1\n+x = '値'\n"
    wanted = text.replace("1", "'値'").encode(codec)
    assert resolve(reply, tree(a__py=data)).changes["a.py"].data == wanted


def test_utf_8_with_stray_bytes_stays_utf_8():
    data = "# 設定を読み込みます\nx = 1\n".encode() + b"# \xe9\n"
    changed = resolve(diff("x = 1", "x = '値'"), tree(a__py=data)).changes["a.py"].data
    assert changed == data.replace(b"1", "'値'".encode())


TABS = "all:\n\tcc a.c\n\tcc b.c\n"


@pytest.mark.parametrize("margin", ["    ", "        ", "\t"])
def test_tabs_stay_where_the_context_proves_them(margin):
    reply = f"--- a/M\n+++ b/M\n@@ @@\n all:\n {margin}cc a.c\n+{margin}cc c.c\n {margin}cc b.c\n"
    wanted = TABS.replace("\tcc b", "\tcc c.c\n\tcc b").encode()
    assert resolve(reply, tree(M=TABS)).changes["M"].data == wanted


def test_blanks_in_a_file_of_tabs_are_refused():
    reply = "--- a/M\n+++ b/M\n@@ @@\n all:\n \tcc a.c\n+    cc c.c\n \tcc b.c\n"
    with pytest.raises(PatchError):
        resolve(reply, tree(M=TABS))
