"""Model replies to patches: pure functions over a reply and a tree.

reply -> `extract` (with `udiff hunks blocks tagged envelope whole leads`) -> edits
edits -> `attempts` -> the ones that count -> `draft` and `filedraft`, one file each
hunk  -> `ladder` (with `place indent pieces elision`), less `doubts` -> its place, or `explain`
files -> `resolve` -> Resolution -> `policy`, and `canonical` (with `linediff`) -> the patch
"""
