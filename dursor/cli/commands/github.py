"""`dursor github`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dursor.cli.application import get_app, get_listener
from dursor.cli.command_result import Items
from dursor.cli.completion.completions import complete_files
from dursor.cli.input.instruction_input import STDIN, decode, read_file, read_stdin
from dursor.cli.input.key_input import ask_hidden
from dursor.cli.output.terminal import is_terminal
from dursor.domain import Secret
from dursor.errors import UsageError
from dursor.services.results import GitHubStatus

AppId = Annotated[
    str | None, typer.Option("--app-id", metavar="ID", help="The id or client id of a GitHub App.")
]
InstallationId = Annotated[
    str | None,
    typer.Option(
        "--installation-id",
        metavar="ID",
        help="The App's installation; default: the one of each repository.",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--private-key-file",
        metavar="F",
        autocompletion=complete_files,
        help="The App's private key; - reads stdin.",
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
    github, listener = get_app(ctx).github, get_listener()
    if app_id is None and private_key_file is None and installation_id is None:
        return github.use_token(_read_token(from_stdin=token_stdin), listener)
    if token_stdin:
        raise UsageError("--token-stdin cannot be combined with an App's options", hint=APP_HINT)
    if app_id is None and private_key_file is None and installation_id is not None:
        return github.use_installation(installation_id, listener)
    if app_id is None or private_key_file is None:
        raise UsageError("--app-id and --private-key-file require each other", hint=APP_HINT)
    return github.use_app(app_id, installation_id, _read_private_key(private_key_file), listener)


def _read_token(*, from_stdin: bool) -> Secret:
    if from_stdin:
        text = decode(read_stdin(), "stdin")
    elif is_terminal(sys.stdin):
        text = ask_hidden("GitHub token: ")
    else:
        raise UsageError("no terminal to type the token on", hint=TOKEN_HINT)
    if not text.strip():
        raise UsageError("the token is empty", hint=TOKEN_HINT)
    return Secret(text.strip())


def _read_private_key(file: Path) -> Secret:
    from_stdin = str(file) == STDIN
    data = read_stdin() if from_stdin else read_file(file)
    return Secret(decode(data, "stdin" if from_stdin else str(file)))


def status(ctx: typer.Context) -> GitHubStatus:
    """Show the GitHub host and the signed-in account."""
    return get_app(ctx).github.status(get_listener())


def repos(ctx: typer.Context) -> Items:
    """List the repositories that the login can access."""
    repos = get_app(ctx).github.repos(get_listener())
    return Items("hosted_repo", repos, "no repositories: install the App on an account first")


def branches(ctx: typer.Context, name: Name) -> Items:
    """List the branches of a repository on GitHub."""
    return Items("branch", get_app(ctx).github.branches(name, get_listener()))


def logout(ctx: typer.Context) -> GitHubStatus:
    """Delete the stored login."""
    return get_app(ctx).github.logout(get_listener())
