"""Resolve model replies to patches: pure functions over a reply and a tree.

reply -> `formats/extract` (diffs, blocks, tags, envelopes, whole files) -> edits
edits -> `revisions` -> the final ones -> `draft` and `filedraft`
hunk  -> `placement/rules`, vetoed by `placement/ambiguity` -> its place, or `placement/explain`
files -> `resolve` -> Resolution -> `policy` and `diff/canonical` -> the patch
"""
