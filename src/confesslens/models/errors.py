"""The one error of this package."""


class ModelError(ValueError):
    """A model or adapter cannot be loaded or used; the message, one line, names the cause and the remedy."""
