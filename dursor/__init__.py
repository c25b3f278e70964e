"""dursor: one coding task, several models, one pull request."""

__version__ = "0.1.0"
