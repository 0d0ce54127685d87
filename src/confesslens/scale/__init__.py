"""Scale: the same work on several processes, or on a Ray cluster."""

from confesslens.scale.ray_workers import RayWorkers
from confesslens.scale.workers import Workers

AnyWorkers = Workers | RayWorkers

__all__ = ["AnyWorkers", "RayWorkers", "Workers"]
