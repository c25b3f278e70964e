"""Every command's name and help, so that help and completion need not import the commands.

A target is `module:function` below `dursor.cli.commands`; its docstring begins with the same help.
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
    """A group of commands; `kind` is the class of the group, `module:class`."""

    help: str
    commands: Mapping[str, CommandSpec]
    kind: str = "dursor.cli.lazy_commands:LazyGroup"


Commands: TypeAlias = "Mapping[str, CommandSpec | GroupSpec]"

ROUND = CommandSpec("Send one instruction to several models at once.", "run_round:start")

RUN = {
    "list": CommandSpec("List runs, newest first.", "run:list_"),
    "show": CommandSpec("Show a run: its summary, changed files and error.", "run:show"),
    "diff": CommandSpec("Print a run's patch.", "run:diff"),
    "logs": CommandSpec("Print a run's log.", "run:logs"),
    "watch": CommandSpec("Follow runs of another process until they finish.", "run:watch"),
    "cancel": CommandSpec("Cancel runs, also those of another process.", "run:cancel"),
    "retry": CommandSpec("Rerun a run with the same model, base and instruction.", "run:retry"),
    "compare": CommandSpec("Compare the changes of several runs.", "run:compare"),
    "apply": CommandSpec("Apply a run's change to the working tree, all or nothing.", "run:apply"),
}

MODELS = {
    "add": CommandSpec("Add a model under a name of your choice.", "models:add"),
    "list": CommandSpec("List the models and the sources of their keys.", "models:list_"),
    "show": CommandSpec("Show one model.", "models:show"),
    "check": CommandSpec("Test keys and models with the cheapest call.", "models:check"),
    "set-key": CommandSpec("Store a key for a model or a provider.", "models:set_key"),
    "remove": CommandSpec("Remove a model and its stored key.", "models:remove"),
}

REPO = {
    "add": CommandSpec("Register a folder, or clone a URL or OWNER/NAME.", "repo:add"),
    "list": CommandSpec("List the registered repositories.", "repo:list_"),
    "show": CommandSpec("Show one repository.", "repo:show"),
    "branches": CommandSpec("List a repository's branches.", "repo:branches"),
    "remove": CommandSpec("Unregister a repository; your folder is kept.", "repo:remove"),
}

TASK = {
    "new": CommandSpec("Create a task: a conversation about one repository.", "task:new"),
    "list": CommandSpec("List tasks, newest first.", "task:list_"),
    "show": CommandSpec("Show a task's conversation, runs and pull requests.", "task:show"),
    "say": CommandSpec("Add a message to a task, for its next round.", "task:say"),
    "rename": CommandSpec("Rename a task.", "task:rename"),
    "close": CommandSpec("Close a task.", "task:close"),
}

PR = {
    "create": CommandSpec("Open a pull request with a run's change.", "pr:create"),
    "update": CommandSpec("Add a run's change to a pull request, as one commit.", "pr:update"),
    "list": CommandSpec("List the pull requests that were created from runs.", "pr:list_"),
    "show": CommandSpec("Show the current state of a pull request.", "pr:show"),
    "sync": CommandSpec("Fetch a pull request's state and reviews into its task.", "pr:sync"),
}

GITHUB = {
    "login": CommandSpec("Sign in as a GitHub App or with a token.", "github:login"),
    "status": CommandSpec("Show the GitHub host and the signed-in account.", "github:status"),
    "repos": CommandSpec("List the repositories that the login can access.", "github:repos"),
    "branches": CommandSpec("List the branches of a repository on GitHub.", "github:branches"),
    "logout": CommandSpec("Delete the stored login.", "github:logout"),
}

CONFIG = {
    "get": CommandSpec("Print one setting.", "config:get"),
    "set": CommandSpec("Change one setting in the user's configuration file.", "config:set_"),
    "list": CommandSpec("List every setting, its value and its source.", "config:list_"),
    "path": CommandSpec("Print the path of the configuration file.", "config:path"),
}

COMMANDS: Commands = {
    "run": GroupSpec(ROUND.help, RUN, "dursor.cli.run_group:RunGroup"),
    "models": GroupSpec("Manage models and their keys.", MODELS),
    "repo": GroupSpec("Manage repositories.", REPO),
    "task": GroupSpec("Manage tasks, the conversations that rounds belong to.", TASK),
    "pr": GroupSpec("Create and update pull requests from runs.", PR),
    "github": GroupSpec("Sign in to GitHub and list its repositories.", GITHUB),
    "context": CommandSpec("Show what would be sent, file by file.", "context:context"),
    "patch": CommandSpec("Turn any model's reply into a clean patch.", "patch:patch"),
    "config": GroupSpec("Read and change the configuration.", CONFIG),
    "doctor": CommandSpec("Check keys, git, data and network settings.", "doctor:doctor"),
    "demo": CommandSpec("Show a whole round without keys or network.", "demo:demo"),
}
