"""Every command's word and sentence, so that help and completion need not import the commands.

A target is `module:function` below `dursor.cli.commands`; a test holds each sentence equal to the
first line of that function's docstring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


class CommandSpec(NamedTuple):
    """One command."""

    help: str
    target: str


class GroupSpec(NamedTuple):
    """A noun with its commands; `kind` is the class of its group, `module:class`."""

    help: str
    commands: Mapping[str, CommandSpec]
    kind: str = "dursor.cli.lazy_commands:LazyGroup"


Commands: TypeAlias = "Mapping[str, CommandSpec | GroupSpec]"

ROUND = CommandSpec("Send one instruction to several models at once.", "run_round:start")

RUN = {
    "list": CommandSpec("List runs, newest first.", "run_history:list_"),
    "show": CommandSpec("Show a run: what it did, and why it failed.", "run_history:show"),
    "diff": CommandSpec("Print a run's patch.", "run_history:diff"),
    "logs": CommandSpec("Print a run's log.", "run_history:logs"),
    "watch": CommandSpec("Follow runs of another process until they are done.", "run:watch"),
    "cancel": CommandSpec("Stop runs, also those of another process.", "run:cancel"),
    "retry": CommandSpec("Run the same model, base and instruction once more.", "run:retry"),
    "compare": CommandSpec("Show side by side what runs changed.", "run_outcome:compare"),
    "apply": CommandSpec(
        "Put a run's change into the working tree, all or nothing.", "run_outcome:apply"
    ),
}

MODELS = {
    "add": CommandSpec("Add a model under a name of your own.", "models:add"),
    "list": CommandSpec("List the models and where their keys are.", "models:list_"),
    "show": CommandSpec("Show one model.", "models:show"),
    "check": CommandSpec("Prove keys and models with the cheapest call.", "models:check"),
    "set-key": CommandSpec("Store a key for a model or a provider.", "models:set_key"),
    "remove": CommandSpec("Forget a model and its stored key.", "models:remove"),
}

REPO = {
    "add": CommandSpec("Register a folder, or clone a URL or OWNER/NAME.", "repo:add"),
    "list": CommandSpec("List the registered repositories.", "repo:list_"),
    "show": CommandSpec("Show one repository.", "repo:show"),
    "branches": CommandSpec("List a repository's branches.", "repo:branches"),
    "remove": CommandSpec("Forget a repository; never deletes your folder.", "repo:remove"),
}

TASK = {
    "new": CommandSpec("Open a task: a conversation about one repository.", "task:new"),
    "list": CommandSpec("List tasks, newest first.", "task:list_"),
    "show": CommandSpec("Show a task's conversation beside its runs.", "task:show"),
    "say": CommandSpec("Add a message to a task, for its next round.", "task:say"),
    "rename": CommandSpec("Give a task another title.", "task:rename"),
    "close": CommandSpec("Close a task.", "task:close"),
}

PR = {
    "create": CommandSpec("Open a pull request with a run's change.", "pr:create"),
    "update": CommandSpec(
        "Put a run's change on a pull request's branch, as one more commit.", "pr:update"
    ),
    "list": CommandSpec("List pull requests that grew from runs, newest first.", "pr:list_"),
    "show": CommandSpec("Show a pull request as it is now.", "pr:show"),
    "sync": CommandSpec("Bring a pull request's state and review into its task.", "pr:sync"),
}

GITHUB = {
    "login": CommandSpec("Sign in as a GitHub App or with a token.", "github:login"),
    "status": CommandSpec("Show which GitHub, and who dursor is there.", "github:status"),
    "repos": CommandSpec("List the repositories that the login can reach.", "github:repos"),
    "branches": CommandSpec("List the branches of a repository on GitHub.", "github:branches"),
    "logout": CommandSpec("Forget the login that is kept.", "github:logout"),
}

CONFIG = {
    "get": CommandSpec("Print one setting.", "config:get"),
    "set": CommandSpec("Set one setting in the user's configuration file.", "config:set_"),
    "list": CommandSpec("List every setting and where its value comes from.", "config:list_"),
    "path": CommandSpec("Print where the configuration file lies.", "config:path"),
}

COMMANDS: Commands = {
    "run": GroupSpec(ROUND.help, RUN, "dursor.cli.run_group:RunGroup"),
    "models": GroupSpec("Manage the models and their keys.", MODELS),
    "repo": GroupSpec("Manage repositories.", REPO),
    "task": GroupSpec("Manage tasks, the conversations that rounds belong to.", TASK),
    "pr": GroupSpec("Grow pull requests from runs.", PR),
    "github": GroupSpec("Sign in to GitHub, and look around there.", GITHUB),
    "context": CommandSpec(
        "Show what would be sent, file by file; nothing is called.", "context:context"
    ),
    "patch": CommandSpec("Turn any model's reply into a clean patch.", "patch:patch"),
    "config": GroupSpec("Read and change the configuration.", CONFIG),
    "doctor": CommandSpec("Check keys, git, data and network settings.", "doctor:doctor"),
    "demo": CommandSpec("Show a whole round without keys or network.", "demo:demo"),
}
