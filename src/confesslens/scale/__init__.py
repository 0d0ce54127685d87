"""Scale: the same work on several processes."""

from confesslens.scale.pool import run_shards

__all__ = ["run_shards"]
