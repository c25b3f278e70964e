"""Fit the weights that select context, and measure them on repositories they were not fitted on.

    pip install numpy scipy
    python tests/benchmarks/context_fit.py extract INSTANCES REPOSITORIES WORK [--part 0/2]
    python tests/benchmarks/context_fit.py fit WORK [--write dursor/context/ranking/weights.json]

INSTANCES has JSON lines, gzipped or not, one per solved task: `id`, `repo` (OWNER/NAME),
`base_commit`, `instruction`, optionally `instruction_nopath` (without the names of changed files),
`source`, `gold_files`, and `gold_hunks`: for each of them the line ranges of the base that the fix
changed. REPOSITORIES has a bare clone OWNER+NAME of each. `extract` writes the features of each
instance to WORK (minutes); `fit` learns from them in a minute.

There are three linear models over the columns of `file_features.py` and `block_features.py`: of all
files, of files that were read, of the blocks of a file. Each maximises the likelihood of the changed
files or blocks among all candidates (a softmax), with a quadratic penalty. Features that can only
support a file never get a negative weight.
"""

import argparse
import functools
import gzip
import json
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dursor.context.ranking.block_features import BlockFeatures
from dursor.context.ranking.blocks import CodeBlock
from dursor.context.ranking.candidates import list_candidates
from dursor.context.ranking.query import InstructionQuery
from dursor.context.ranking.rank import (
    MAX_READ,
    RankedBlock,
    RankedFile,
    load_weights,
    softmax,
    sum_columns,
)
from dursor.context.ranking.retrieve import collect_features
from dursor.context.selection.pack import Excerpt, choose_lines
from dursor.context.sendable import split_sendable
from dursor.context.source import TextSource
from dursor.pathrules import PathRules
from dursor.secrets.placeholders import Placeholders
from dursor.vcs.history import History
from dursor.vcs.repository import Repository

BUDGETS = (8_000, 16_000, 32_000, 64_000)
PENALTY = 4.0
WITHOUT_PATHS = 0.3  # weight of an instance without the names of its changed files
MAX_HUNK = 400  # lines of a change that have to be selected
# Properties of a file, whose weights can be negative.
NATURE = {"size", "is_index", "sideline", "depth", "language", "generated", "churn"}
NATURE |= {"is_test", "is_docs", "is_data", "is_foreign"}
NATURE |= {"header", "first", "lines", "nameless"}
# A user means the files that an instruction names, although issues mention others in passing. Kinds
# of files that are candidates only if asked for are too few to learn from.
FLOORS = {"named": 1.5, "module": 0.5, "traced_last": 0.8}
FIXED = {"asked": 2.5, "is_test": -1.5, "is_docs": -1.5, "is_data": -1.5, "is_foreign": -1.5}


@dataclass
class Example:
    """The features of an instance, and its changed rows."""

    id: str
    repo: str
    is_issue: bool
    without_paths: bool
    first: Any  # rows: candidates; columns: features of all files
    first_gold: list[int]
    file: Any  # rows: files that were read
    paths: list[str]
    sizes: list[int]
    lines: list[Any]  # the bytes of each line, by file that was read
    block: Any  # rows: blocks of all files that were read
    block_file: Any
    block_gold: Any
    blocks: list[CodeBlock]
    block_bytes: list[int]
    rest: list[tuple[str, int]]  # path and size of the files that were not read
    hunks: dict[str, list[list[int]]]
    names: dict[str, list[str]] = field(default_factory=dict)  # of the columns


class Weights(NamedTuple):
    """A vector for each of the three models."""

    first: Any
    file: Any
    block: Any


# ---------------------------------------------------------------------------------- extract


def read_instances(path: Path) -> list[dict[str, Any]]:
    """Read the instances in PATH."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def extract(path: Path, repositories: Path, work: Path, part: str) -> None:
    """Write the examples of every repository to WORK; PART `0/2` takes every second one."""
    number, parts = map(int, part.split("/"))
    by_repo = defaultdict(list)
    for instance in read_instances(path):
        by_repo[instance["repo"]].append(instance)
    for repo in sorted(by_repo, key=lambda name: -len(by_repo[name]))[number::parts]:
        with Repository.open(repositories / repo.replace("/", "+")) as repository:
            cache = work / "cache" / repo.replace("/", "+")
            found = [
                build_example(repository, instance, key, cache)
                for instance in by_repo[repo]
                for key in list_keys(instance)
            ]
        with (work / f"{repo.replace('/', '+')}.pickle").open("wb") as stream:
            pickle.dump(found, stream)
        print(f"{repo}: {len(found)} examples", flush=True)


def list_keys(instance: dict[str, Any]) -> list[str]:
    """Return the keys of the texts of INSTANCE that differ."""
    bare = instance.get("instruction_nopath", instance["instruction"])
    return (
        ["instruction"]
        if bare == instance["instruction"]
        else ["instruction", "instruction_nopath"]
    )


def build_example(
    repository: Repository, instance: dict[str, Any], key: str, cache: Path
) -> Example:
    """Compute the features of an instance like `rank`, and keep every column."""
    import numpy as np

    commit = instance["base_commit"]
    tree = repository.tree(commit)
    sendable, _ = split_sendable(tree.entries(), PathRules())
    query = InstructionQuery(instance[key])
    pool = list_candidates(sendable, query, BUDGETS[0])
    features = collect_features(
        tree, pool, query, folder=cache, history=History(repository, commit)
    )
    columns = features.build_columns()
    first = sum_columns(load_weights().first, columns, len(features.paths))
    order = sorted(range(len(features.paths)), key=lambda n: -first[n])
    paths, sizes = features.paths, features.sizes
    texts = TextSource(tree, Placeholders()).peek_many([paths[n] for n in order[:MAX_READ]])
    near = [n for n in order[:MAX_READ] if paths[n] in texts]
    near_blocks = BlockFeatures(features, [(n, texts[paths[n]]) for n in near])
    likely = softmax([first[n] for n in near])
    blocks = near_blocks.build_columns(likely)
    known = {name: [column[n] for n in near] for name, column in columns.items()}
    known |= near_blocks.build_file_columns(blocks, likely)
    hunks = {path: instance["gold_hunks"][path] for path in instance["gold_files"]}

    def matrix(columns: dict[str, list[float]]) -> Any:
        return np.array(list(columns.values()), dtype=np.float32).T.reshape(-1, len(columns))

    def was_changed(n: int) -> bool:
        block = near_blocks.blocks[n]
        found = hunks.get(paths[near_blocks.files[block.file].number], [])
        return any(a <= block.block.last and block.block.first <= z for a, z in found)

    return Example(
        id=instance["id"],
        repo=instance["repo"],
        is_issue=not instance.get("source", "").startswith("commit"),
        without_paths=key != "instruction",
        first=matrix(columns),
        first_gold=[n for n, path in enumerate(paths) if path in hunks],
        file=matrix(known),
        paths=[paths[n] for n in near],
        sizes=[sizes[n] for n in near],
        lines=[
            np.array([len(x.encode()) for x in read.lines], np.uint32) for read in near_blocks.files
        ],
        block=matrix(blocks),
        block_file=np.array([block.file for block in near_blocks.blocks], int),
        block_gold=np.array([was_changed(n) for n in range(len(near_blocks.blocks))], bool),
        blocks=[block.block for block in near_blocks.blocks],
        block_bytes=[block.bytes for block in near_blocks.blocks],
        rest=[(paths[n], sizes[n]) for n in order if n not in set(near)][:500],
        hunks=hunks,
        names={"first": list(columns), "file": list(known), "block": list(blocks)},
    )


# -------------------------------------------------------------------------------------- fit

Group = tuple[Any, Any, float]  # rows of features, the numbers of the right ones, a weight


def fit_listwise(groups: Sequence[Group], names: Sequence[str]) -> Any:
    """Find the weights that maximise the likelihood of the right rows of GROUPS."""
    import numpy as np
    from scipy.optimize import minimize

    def loss(weights: Any) -> tuple[float, Any]:
        total, slope = PENALTY * 0.5 * (weights @ weights), PENALTY * weights
        for rows, right, weight in groups:
            values = rows @ weights
            powers = np.exp(values - values.max())
            total -= weight * np.mean(values[right] - values.max() - np.log(powers.sum()))
            slope = slope - weight * (rows[right].mean(0) - (powers / powers.sum()) @ rows)
        return total, slope

    bounds = [
        (FIXED[name],) * 2
        if name in FIXED
        else (None if name in NATURE else FLOORS.get(name, 0), None)
        for name in names
    ]
    start = np.array([low or 0.0 for low, _ in bounds])
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x


def fit(examples: Sequence[Example]) -> Weights:
    """Fit all three models on EXAMPLES."""
    groups: dict[str, list[Group]] = {"first": [], "file": [], "block": []}
    for example in examples:
        weight = WITHOUT_PATHS if example.without_paths else 1.0
        right = [n for n, path in enumerate(example.paths) if path in example.hunks]
        if example.first_gold:
            groups["first"].append((example.first.astype(float), example.first_gold, weight))
        if right:
            groups["file"].append((example.file.astype(float), right, weight))
        groups["block"] += [
            (rows, blocks, w * weight) for rows, blocks, w in list_block_groups(example)
        ]
    return Weights(*(fit_listwise(groups[model], examples[0].names[model]) for model in groups))


def list_block_groups(example: Example) -> Iterator[Group]:
    """Yield the blocks of each changed file, and which of them were changed."""
    import numpy as np

    for n, path in enumerate(example.paths):
        mine = example.block_file == n
        right = np.flatnonzero(example.block_gold[mine])
        if path in example.hunks and len(right) and mine.sum() > 1:
            yield example.block[mine].astype(float), right, 1 / len(example.hunks)


# ------------------------------------------------------------------------------------ report


def rank_example(example: Example, weights: Weights) -> list[RankedFile]:
    """Rank the files of EXAMPLE as `rank` does."""
    values = softmax(list(example.file @ weights.file))
    blocks = example.block @ weights.block
    found = []
    for n, path in enumerate(example.paths):
        mine = [int(m) for m in (example.block_file == n).nonzero()[0]]
        shares = softmax([float(blocks[m]) for m in mine])
        parts = [
            RankedBlock(example.blocks[m], example.block_bytes[m], share)
            for m, share in zip(mine, shares, strict=True)
        ]
        found.append(RankedFile(n, path, example.sizes[n], values[n], parts))
    found.sort(key=lambda file: -file.value)
    return found + [RankedFile(-1, path, size, 0.0, []) for path, size in example.rest]


def check_view(example: Example, order: Sequence[RankedFile], budget: int) -> tuple[bool, bool]:
    """Tell whether all changed files are sent whole, and whether all changed lines are sent."""
    sizes = {path: one.tolist() for path, one in zip(example.paths, example.lines, strict=True)}
    sizes |= {path: [size] for path, size in example.rest}
    chosen = choose_lines(
        order,
        lambda path: Excerpt([""] * len(sizes[path]), sizes[path]),
        budget,
    )
    sent = {order[n].path: one for n, one in chosen.items()}
    whole = {path for path, one in sent.items() if one.list_ranges() is None}

    def shows(path: str) -> bool:
        wanted = {
            line
            for first, last in example.hunks[path]
            for line in range(first, min(last, first + MAX_HUNK) + 1)
        }
        return path in whole or (path in sent and wanted <= sent[path].chosen)

    return example.hunks.keys() <= whole, all(map(shows, example.hunks))


def report(title: str, examples: Iterable[Example], weights: Callable[[Example], Weights]) -> None:
    """Print the share of EXAMPLES whose changed files are whole, and whose changed lines, are sent."""
    rows: dict[tuple[str, int], dict[str, tuple[bool, bool]]] = defaultdict(dict)
    for example in examples:
        order = rank_example(example, weights(example))
        kind = "issues" if example.is_issue else "commits"
        for budget in BUDGETS:
            found = check_view(example, order, budget)
            if not example.without_paths:
                rows[kind, budget][example.id] = found
                rows[f"{kind}, no paths", budget].setdefault(example.id, found)
            else:
                rows[f"{kind}, no paths", budget][example.id] = found
    for kind in ("issues", "issues, no paths", "commits", "commits, no paths"):
        if n := len(rows[kind, BUDGETS[0]]):
            shares = " | ".join(
                format_shares(rows[kind, budget].values(), budget) for budget in BUDGETS
            )
            print(f"{title:8} {kind:18} n={n:3} {shares}", flush=True)


def format_shares(found: Iterable[tuple[bool, bool]], budget: int) -> str:
    """Format the shares FOUND at BUDGET."""
    files, lines = zip(*found, strict=True)
    share = [100 * sum(one) / len(one) for one in (files, lines)]
    return f"{budget // 1000}k files {share[0]:4.1f} lines {share[1]:4.1f}"


def write(weights: Weights, names: dict[str, list[str]], path: Path) -> None:
    """Write WEIGHTS in the format of `load_weights`."""
    found = {
        model: {
            name: round(float(w), 3)
            for name, w in zip(names[model], vector, strict=True)
            if abs(w) >= 0.005
        }
        for model, vector in weights._asdict().items()
    }
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def learn(work: Path, path: Path | None) -> None:
    """Fit on all examples in WORK, report, and write the weights to PATH."""
    examples = [
        e for file in sorted(work.glob("*.pickle")) for e in pickle.loads(file.read_bytes())
    ]
    weights = fit(examples)
    if path is not None:
        write(weights, examples[0].names, path)
    report("fitted", examples, lambda _: weights)
    without = functools.cache(lambda repo: fit([e for e in examples if e.repo != repo]))
    report("left out", examples, lambda example: without(example.repo))


def main() -> None:
    """Extract or fit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("extract")
    for name in ("instances", "repositories", "work"):
        one.add_argument(name, type=Path)
    one.add_argument("--part", default="0/1")
    other = verbs.add_parser("fit")
    other.add_argument("work", type=Path)
    other.add_argument("--write", type=Path)
    args = parser.parse_args()
    if args.verb == "extract":
        args.work.mkdir(parents=True, exist_ok=True)
        extract(args.instances, args.repositories, args.work, args.part)
    else:
        learn(args.work, args.write)


if __name__ == "__main__":
    main()
