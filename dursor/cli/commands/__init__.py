"""One function per command: its signature, its help, and one call of a service.

Typer evaluates the annotations when a command is used, so their imports cannot be type-only.
"""
