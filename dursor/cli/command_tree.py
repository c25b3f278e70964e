"""Every command's word and sentence, so that help and completion need not import the commands.

A target is `module:function` below `dursor.cli.commands`; a test holds each sentence equal to the
first line of that function's docstring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


class Leaf(NamedTuple):
    """One command."""

    help: str
    target: str


class Branch(NamedTuple):
    """A noun with its commands; `kind` is the class of its group, `module:class`."""

    help: str
    commands: Mapping[str, Leaf]
    kind: str = "dursor.cli.lazy:LazyGroup"


Commands: TypeAlias = "Mapping[str, Leaf | Branch]"

ROUND = Leaf("Send one instruction to several models at once.", "run_round:start")

RUN = {
    "list": Leaf("List runs, newest first.", "run_history:list_"),
    "show": Leaf("Show a run: what it did, and why it failed.", "run_history:show"),
    "diff": Leaf("Print a run's patch.", "run_history:diff"),
    "logs": Leaf("Print a run's log.", "run_history:logs"),
    "watch": Leaf("Follow runs of another process until they are done.", "run:watch"),
    "cancel": Leaf("Stop runs, also those of another process.", "run:cancel"),
    "retry": Leaf("Run the same model, base and instruction once more.", "run:retry"),
    "compare": Leaf("Show side by side what runs changed.", "run_outcome:compare"),
    "apply": Leaf("Put a run's change into the working tree, all or nothing.", "run_outcome:apply"),
}

MODELS = {
    "add": Leaf("Add a model under a name of your own.", "models:add"),
    "list": Leaf("List the models and where their keys are.", "models:list_"),
    "show": Leaf("Show one model.", "models:show"),
    "check": Leaf("Prove keys and models with the cheapest call.", "models:check"),
    "set-key": Leaf("Store a key for a model or a provider.", "models:set_key"),
    "remove": Leaf("Forget a model and its stored key.", "models:remove"),
}

REPO = {
    "add": Leaf("Register a folder, or clone a URL or OWNER/NAME.", "repo:add"),
    "list": Leaf("List the registered repositories.", "repo:list_"),
    "show": Leaf("Show one repository.", "repo:show"),
    "branches": Leaf("List a repository's branches.", "repo:branches"),
    "remove": Leaf("Forget a repository; never deletes your folder.", "repo:remove"),
}

TASK = {
    "new": Leaf("Open a task: a conversation about one repository.", "task:new"),
    "list": Leaf("List tasks, newest first.", "task:list_"),
    "show": Leaf("Show a task's conversation beside its runs.", "task:show"),
    "say": Leaf("Add a message to a task, for its next round.", "task:say"),
    "rename": Leaf("Give a task another title.", "task:rename"),
    "close": Leaf("Close a task.", "task:close"),
}

PR = {
    "create": Leaf("Open a pull request with a run's change.", "pr:create"),
    "update": Leaf(
        "Put a run's change on a pull request's branch, as one more commit.", "pr:update"
    ),
    "list": Leaf("List pull requests that grew from runs, newest first.", "pr:list_"),
    "show": Leaf("Show a pull request as it is now.", "pr:show"),
    "sync": Leaf("Bring a pull request's state and review into its task.", "pr:sync"),
}

GITHUB = {
    "login": Leaf("Sign in as a GitHub App or with a token.", "github:login"),
    "status": Leaf("Show which GitHub, and who dursor is there.", "github:status"),
    "repos": Leaf("List the repositories that the login can reach.", "github:repos"),
    "branches": Leaf("List the branches of a repository on GitHub.", "github:branches"),
    "logout": Leaf("Forget the login that is kept.", "github:logout"),
}

CONFIG = {
    "get": Leaf("Print one setting.", "config:get"),
    "set": Leaf("Set one setting in the user's configuration file.", "config:set_"),
    "list": Leaf("List every setting and where its value comes from.", "config:list_"),
    "path": Leaf("Print where the configuration file lies.", "config:path"),
}

COMMANDS: Commands = {
    "run": Branch(ROUND.help, RUN, "dursor.cli.run_group:RunGroup"),
    "models": Branch("Manage the models and their keys.", MODELS),
    "repo": Branch("Manage repositories.", REPO),
    "task": Branch("Manage tasks, the conversations that rounds belong to.", TASK),
    "pr": Branch("Grow pull requests from runs.", PR),
    "github": Branch("Sign in to GitHub, and look around there.", GITHUB),
    "context": Leaf("Show what would be sent, file by file; nothing is called.", "context:context"),
    "patch": Leaf("Turn any model's reply into a clean patch.", "patch:patch"),
    "config": Branch("Read and change the configuration.", CONFIG),
    "doctor": Leaf("Check keys, git, data and network settings.", "doctor:doctor"),
    "demo": Leaf("Show a whole round without keys or network.", "demo:demo"),
}
