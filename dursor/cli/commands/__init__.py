"""One function a command: its signature, its sentence, and one call into a service.

Typer reads the annotations when a command is used, so what they name is imported for good.
"""
