"""Model replies to patches: pure functions over a reply and a tree.

reply -> `extract` (with `udiff hunks blocks tagged envelope whole`) -> edits
edits -> `attempts` -> the ones that count -> `draft` and `filedraft`, one file each
hunk  -> `ladder` (with `place indent pieces elision doubts`) -> its place, or `explain` -> a refusal
files -> `resolve` -> Resolution -> `policy`, and `canonical` (with `linediff`) -> the patch
"""
