"""Model replies to patches: pure functions over a reply and a tree."""
