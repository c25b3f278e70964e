"""The completion scripts of three shells, and where they belong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dursor.cli.command_result import PlainOutput
from dursor.config.settings import find_home
from dursor.errors import InternalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

BASH = r"""# bash completion for dursor (made by: dursor --show-completion bash)
_dursor_completion() {
    local IFS=$'\n' candidate
    COMPREPLY=()
    while read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(COMP_WORDS="${COMP_WORDS[*]:0:COMP_CWORD+1}" COMP_CWORD=$COMP_CWORD \
        _DURSOR_COMPLETE=complete_bash "$1" 2>/dev/null </dev/null)
    if [[ ${COMPREPLY[0]} == "<files>" ]]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null ||
            COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}"))
    fi
}
complete -F _dursor_completion dursor
"""

ZSH = r"""#compdef dursor
# zsh completion for dursor (made by: dursor --show-completion zsh)
_dursor() {
    local -a candidates
    candidates=("${(@f)$(COMP_WORDS="${(F)words[1,CURRENT]}" COMP_CWORD=$((CURRENT - 1)) \
        _DURSOR_COMPLETE=complete_zsh "${words[1]}" 2>/dev/null </dev/null)}")
    candidates=(${candidates:#})
    if [[ ${candidates[1]} == "<files>" ]]; then
        [[ ${words[CURRENT]} != --*=* ]] || compset -P '*='
        _files
    elif (( ${#candidates} )); then
        _describe -V dursor candidates
    fi
}
if [ "${funcstack[1]}" = "_dursor" ]; then
    _dursor "$@"
else
    compdef _dursor dursor
fi
"""

FISH = r"""# fish completion for dursor (made by: dursor --show-completion fish)
function __dursor_complete
    set -lx COMP_LINE (commandline -cp | string collect)
    set -lx _DURSOR_COMPLETE complete_fish
    set -l candidates (dursor 2>/dev/null </dev/null)
    if test "$candidates[1]" = '<files>'
        set -l token (commandline -ct)
        set -l option (string match -r '^--[^=]*=' -- $token)
        __fish_complete_path (string replace -- "$option" '' $token) |
            string replace -r '^' -- "$option"
    else if test (count $candidates) -gt 0
        printf '%s\n' $candidates
    end
end
complete --command dursor --no-files --keep-order --arguments '(__dursor_complete)'
"""


class Shell(NamedTuple):
    """A script, the file it belongs into, and what must stand in which start-up file."""

    script: str
    target: Callable[[Path], Path]
    start: Callable[[Path], tuple[Path, str] | None]


def _zsh_start(home: Path) -> tuple[Path, str]:
    folder = Path(os.environ.get("ZDOTDIR") or home)
    return folder / ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"


def _fish_target(home: Path) -> Path:
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return config / "fish" / "completions" / "dursor.fish"


SHELLS = {
    "bash": Shell(
        BASH,
        lambda home: home / ".bash_completions" / "dursor.sh",
        lambda home: (home / ".bashrc", "source ~/.bash_completions/dursor.sh"),
    ),
    "zsh": Shell(ZSH, lambda home: home / ".zfunc" / "_dursor", _zsh_start),
    "fish": Shell(FISH, _fish_target, lambda _: None),
}

# As they lie in the repository, for packagers.
FILES = {"dursor.bash": BASH, "_dursor": ZSH, "dursor.fish": FISH}


def script(name: str) -> str:
    """Give the script of the shell called NAME."""
    return _known(name).script


def show(name: str | None) -> PlainOutput:
    """Print the script of the shell called NAME, or of the one around us."""
    name = name or _around_us()
    text = script(name)
    return PlainOutput({"shell": name, "script": text}, text.splitlines())


def install(name: str | None) -> PlainOutput:
    """Write the script where the shell called NAME, or the one around us, looks for it."""
    name = name or _around_us()
    shell, home = _known(name), find_home(os.environ)
    target, start = shell.target(home), shell.start(home)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(shell.script, encoding="utf-8", newline="\n")
        if start is not None:
            _ensure_line(*start)
    except OSError as error:
        raise InternalError(f"cannot install completion: {error}") from error
    lines = [f"wrote {target}"]
    if start is not None:
        lines.append(f"{start[0]} holds: {start[1]}")
    data = {"shell": name, "path": str(target), "start_file": str(start[0]) if start else None}
    return PlainOutput(data, [*lines, f"open a new {name} to use it"])


def _ensure_line(path: Path, line: str) -> None:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if line in text.splitlines():
        return
    gap = "" if not text or text.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{gap}{line}\n")


def _known(name: str) -> Shell:
    if name not in SHELLS:
        raise UsageError(
            f"completion is for bash, zsh and fish, not {name!r}",
            hint="dursor --show-completion bash",
        )
    return SHELLS[name]


def _around_us() -> str:
    return Path(os.environ.get("SHELL", "")).name or "an unknown shell"
