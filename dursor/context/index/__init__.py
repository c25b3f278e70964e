"""An index of file contents on disk: which words, definitions and imports are in which blob."""
