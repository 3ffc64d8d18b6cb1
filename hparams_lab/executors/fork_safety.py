"""Whether this process may fork children that will use TensorFlow."""

from __future__ import annotations

import sys
import threading


def find_fork_hazard() -> str:
    """Return why forking is not safe here, in words for the user; empty if it is.

    TensorFlow survives a fork only before its runtime starts, which its first
    operation does: the runtime's threads do not exist in the child, and it waits for
    them for ever.
    """
    context = sys.modules.get("tensorflow.python.eager.context")
    current = getattr(context, "_context", None)
    if current is not None and getattr(current, "_initialized", True):
        return "a TensorFlow operation was run while the experiment or its data was loaded"
    if (others := threading.active_count() - 1) > 0:
        return f"{others} thread(s) were left running when the experiment or its data was loaded"
    return ""
