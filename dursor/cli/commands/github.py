"""`dursor github`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import Items
from dursor.cli.completion import completions
from dursor.cli.input.instruction_input import STDIN, decode, read_file, read_stdin
from dursor.cli.input.key_input import hidden
from dursor.cli.output.terminal import is_terminal
from dursor.domain import Secret
from dursor.errors import UsageError
from dursor.services.results import GitHubStatus

AppId = Annotated[
    str | None, typer.Option("--app-id", metavar="ID", help="A GitHub App's id or client id.")
]
InstallationId = Annotated[
    str | None,
    typer.Option("--installation-id", metavar="ID", help="Of the App; default: each repository's."),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--private-key-file",
        metavar="F",
        autocompletion=completions.files,
        help="The App's private key; - reads it from stdin.",
    ),
]
TokenStdin = Annotated[bool, typer.Option("--token-stdin", help="Read a token from stdin.")]
Name = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="A repository on GitHub.")]

APP_HINT = "dursor github login --app-id ID --private-key-file FILE"
TOKEN_HINT = "dursor github login --token-stdin < token.txt"  # noqa: S105 - no token


def login(
    ctx: typer.Context,
    app_id: AppId = None,
    installation_id: InstallationId = None,
    private_key_file: KeyFile = None,
    token_stdin: TokenStdin = False,
) -> GitHubStatus:
    """Sign in as a GitHub App or with a token."""
    from dursor.cli.output.progress import StageLog

    github, hear = get_app(ctx).github, StageLog().hear
    if app_id is None and private_key_file is None and installation_id is None:
        return github.with_token(_token(from_stdin=token_stdin), hear)
    if token_stdin:
        raise UsageError("--token-stdin does not go with an App", hint=APP_HINT)
    if app_id is None and private_key_file is None and installation_id is not None:
        return github.with_installation(installation_id, hear)
    if app_id is None or private_key_file is None:
        raise UsageError("--app-id and --private-key-file belong together", hint=APP_HINT)
    return github.with_app(app_id, installation_id, _private_key(private_key_file), hear)


def _token(*, from_stdin: bool) -> Secret:
    if from_stdin:
        text = decode(read_stdin(), "stdin")
    elif is_terminal(sys.stdin):
        text = hidden("Token for GitHub: ")
    else:
        raise UsageError("no terminal to type the token on", hint=TOKEN_HINT)
    if not text.strip():
        raise UsageError("no token was given", hint=TOKEN_HINT)
    return Secret(text.strip())


def _private_key(file: Path) -> Secret:
    from_stdin = str(file) == STDIN
    data = read_stdin() if from_stdin else read_file(file)
    return Secret(decode(data, "stdin" if from_stdin else str(file)))


def status(ctx: typer.Context) -> GitHubStatus:
    """Show which GitHub, and who dursor is there."""
    from dursor.cli.output.progress import StageLog

    return get_app(ctx).github.status(StageLog().hear)


def repos(ctx: typer.Context) -> Items:
    """List the repositories that the login can reach."""
    from dursor.cli.output.progress import StageLog

    return Items(
        "hosted", get_app(ctx).github.repos(StageLog().hear), "none: install the App somewhere"
    )


def branches(ctx: typer.Context, name: Name) -> Items:
    """List the branches of a repository on GitHub."""
    from dursor.cli.output.progress import StageLog

    return Items("branch", get_app(ctx).github.branches(name, StageLog().hear))


def logout(ctx: typer.Context) -> GitHubStatus:
    """Forget the login that is kept."""
    from dursor.cli.output.progress import StageLog

    return get_app(ctx).github.logout(StageLog().hear)
