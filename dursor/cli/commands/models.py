"""`dursor models`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult, Items
from dursor.cli.completion.completions import complete_models
from dursor.cli.input.key_input import make_prompt, read_key
from dursor.cli.options import Limit, ModelName, at_least_one
from dursor.cli.round_outcome import summarize_checks
from dursor.providers.vendors import VENDORS
from dursor.services.request import NewModel
from dursor.services.results import Model

NewName = Annotated[str, typer.Argument(metavar="NAME", help="A name of your choice.")]
if TYPE_CHECKING:
    ProviderChoice = str
else:
    ProviderChoice = Literal[tuple(VENDORS)]
Provider = Annotated[ProviderChoice, typer.Option(help="API provider.")]
VendorsName = Annotated[str, typer.Option("--model", metavar="M", help="The vendor's model name.")]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="Base URL of another server.")]
Api = Annotated[Literal["responses", "chat"] | None, typer.Option(help="OpenAI API to call.")]
Effort = Annotated[Literal["low", "medium", "high"] | None, typer.Option(help="Reasoning effort.")]
MaxOutput = Annotated[
    int | None,
    typer.Option(callback=at_least_one, metavar="N", help="Maximum number of output tokens."),
]
DisplayName = Annotated[str | None, typer.Option(metavar="S", help="A name for people.")]
KeyStdin = Annotated[bool, typer.Option("--key-stdin", help="Read the key from stdin.")]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read the key from stdin.")]
ModelNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME...",
        autocompletion=complete_models,
        help="Models; default: all that have a key.",
    ),
]
NameOrProvider = Annotated[
    str,
    typer.Argument(
        metavar="NAME|PROVIDER", autocompletion=complete_models, help="A model or an API provider."
    ),
]


def add(
    ctx: typer.Context,
    name: NewName,
    *,
    provider: Provider,
    model: VendorsName,
    base_url: BaseUrl = None,
    api: Api = None,
    effort: Effort = None,
    max_output_tokens: MaxOutput = None,
    display_name: DisplayName = None,
    key_stdin: KeyStdin = False,
) -> Model:
    """Add a model under a name of your choice."""
    profile = NewModel(
        name=name,
        provider=provider,
        model_name=model,
        base_url=base_url,
        api=api,
        effort=effort,
        max_output_tokens=max_output_tokens,
        display_name=display_name,
    )
    ask_key = read_key if key_stdin else make_prompt(name, required=False)
    return get_app(ctx).models.add(profile, ask_key)


def list_(ctx: typer.Context, limit: Limit = 100) -> Items:
    """List the models and the sources of their keys."""
    return Items("model", get_app(ctx).models.list(limit))


def show(ctx: typer.Context, name: ModelName) -> Model:
    """Show one model."""
    return get_app(ctx).models.find(name)


def check(ctx: typer.Context, name: ModelNames = None) -> CommandResult:
    """Test keys and models with the cheapest call."""
    checks = get_app(ctx).models.check(name or [])
    status, errors, exit_code = summarize_checks(checks)
    return CommandResult(Items("model_check", checks), status, errors, exit_code)


def set_key(ctx: typer.Context, name: NameOrProvider, stdin: Stdin = False) -> Model:
    """Store a key for a model or a provider."""
    ask_key = read_key if stdin else make_prompt(name, required=True)
    return get_app(ctx).models.set_key(name, ask_key)


def remove(ctx: typer.Context, name: ModelName) -> Model:
    """Remove a model and its stored key."""
    return get_app(ctx).models.remove(name)
