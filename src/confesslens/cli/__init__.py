"""The command line: one module a family of commands, each adding its own to `app` (in the order of the help)."""

# isort: skip_file
from confesslens.cli.base import app  # first: it sets what torch reads when it is imported
from confesslens.cli import runs
from confesslens.cli import probes
from confesslens.cli import cause
from confesslens.cli import organisms
from confesslens.cli import figures
from confesslens.cli import interop
from confesslens.cli import doctor

__all__ = ["app", "cause", "doctor", "figures", "interop", "organisms", "probes", "runs"]
