"""`dursor models`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dursor.cli import round_outcome as rounds
from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult, Items
from dursor.cli.completion import completions
from dursor.cli.input.key_input import key_from_stdin, typed_key
from dursor.cli.options import Limit, ModelName, at_least_one
from dursor.providers.vendors import VENDORS
from dursor.services.request import NewModel
from dursor.services.results import Model

NewName = Annotated[str, typer.Argument(metavar="NAME", help="What you will call it.")]
if TYPE_CHECKING:
    ProviderChoice = str
else:
    ProviderChoice = Literal[tuple(VENDORS)]
Provider = Annotated[ProviderChoice, typer.Option(help="API provider.")]
VendorsName = Annotated[str, typer.Option("--model", metavar="M", help="The vendor's name for it.")]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Another server than the vendor's.")
]
Api = Annotated[
    Literal["responses", "chat"] | None, typer.Option(help="Which of OpenAI's two protocols.")
]
Effort = Annotated[Literal["low", "medium", "high"] | None, typer.Option(help="How hard to think.")]
MaxOutput = Annotated[
    int | None,
    typer.Option(callback=at_least_one, metavar="N", help="At most this many tokens an answer."),
]
DisplayName = Annotated[str | None, typer.Option(metavar="S", help="A name to read.")]
KeyStdin = Annotated[bool, typer.Option("--key-stdin", help="Read the key from stdin.")]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read the key from stdin.")]
ModelNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME...",
        autocompletion=completions.models,
        help="Models; default: those whose keys are ready.",
    ),
]
NameOrProvider = Annotated[
    str,
    typer.Argument(
        metavar="NAME|PROVIDER", autocompletion=completions.models, help="Whose key it is."
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
    """Add a model under a name of your own."""
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
    ask_key = key_from_stdin if key_stdin else typed_key(name, required=False)
    return get_app(ctx).models.add(profile, ask_key)


def list_(ctx: typer.Context, limit: Limit = 100) -> Items:
    """List the models and where their keys are."""
    return Items("model", get_app(ctx).models.list(limit))


def show(ctx: typer.Context, name: ModelName) -> Model:
    """Show one model."""
    return get_app(ctx).models.find(name)


def check(ctx: typer.Context, name: ModelNames = None) -> CommandResult:
    """Prove keys and models with the cheapest call."""
    checks = get_app(ctx).models.check(name or [])
    status, errors, exit_code = rounds.checked(checks)
    return CommandResult(Items("check", checks), status, errors, exit_code)


def set_key(ctx: typer.Context, name: NameOrProvider, stdin: Stdin = False) -> Model:
    """Store a key for a model or a provider."""
    ask_key = key_from_stdin if stdin else typed_key(name, required=True)
    return get_app(ctx).models.set_key(name, ask_key)


def remove(ctx: typer.Context, name: ModelName) -> Model:
    """Forget a model and its stored key."""
    return get_app(ctx).models.remove(name)
