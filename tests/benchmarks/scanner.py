"""Scan the files of repositories for secrets: print the speed and the matches.

    python tests/benchmarks/scanner.py [--show] REPOSITORY...

In a public repository every match is false, or a secret made up for a test.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

from dursor.context.sendable import check_content, split_sendable
from dursor.errors import UsageError
from dursor.pathrules import PathRules
from dursor.secrets.scan import find_secrets
from dursor.vcs.repository import Repository


def list_texts(top):
    """Yield path and text of every sendable file at HEAD."""
    with Repository.open(top) as repository:
        tree = repository.tree(repository.resolve("HEAD"))
        sendable, _ = split_sendable(tree.entries(), PathRules())
        for path in sendable:
            try:
                data = tree.read(path)
            except UsageError:  # a partial clone lacks it
                continue
            if check_content(data) is None:
                yield path, data.decode()


def measure(top, *, show):
    """Scan the repository at TOP and print a line, and each match if SHOW."""
    files = list(list_texts(top))
    size = sum(len(text.encode()) for _, text in files) / 1e6
    began = time.process_time()
    hits = [(path, text, hit) for path, text in files for hit in find_secrets(text, path)]
    took = time.process_time() - began
    kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(hit.rule for *_, hit in hits).items())
    print(f"{top}: {len(files)} files, {size:.1f} MB, {size / took:.0f} MB/s, {kinds or 'no hit'}")
    for path, text, hit in hits if show else ():
        start = max(text.rfind("\n", 0, hit.start) + 1, hit.start - 60)
        print(f"  {hit.rule} | {path} | {text[start : min(hit.end, hit.start + 100)]!r}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--show", action="store_true", help="print every match")
    parser.add_argument("repositories", nargs="+", type=Path)
    args = parser.parse_args()
    for top in args.repositories:
        measure(top, show=args.show)


if __name__ == "__main__":
    main()
