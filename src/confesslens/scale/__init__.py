"""Scale: the same work on several processes."""

from confesslens.scale.workers import Workers

__all__ = ["Workers"]
