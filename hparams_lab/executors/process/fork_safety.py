"""Whether this process may fork children that will use TensorFlow."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path

# Held open by every process that CUDA has started in, whichever library asked for it, and
# not by those that only look what there is.
_CUDA_DEVICE = "/dev/nvidia-uvm"


def find_fork_hazard() -> str:
    """Return why forking is not safe here, in words for the user; empty if it is.

    TensorFlow survives a fork only before its runtime starts, which its first
    operation does: the runtime's threads do not exist in the child, and it waits for
    them for ever. CUDA refuses to work in a child of a process that it was started in.
    """
    context = sys.modules.get("tensorflow.python.eager.context")
    current = getattr(context, "_context", None)
    if current is not None and getattr(current, "_initialized", True):
        return "a TensorFlow operation was run while the experiment or its data was loaded"
    if _uses_cuda():
        return "a GPU was used while the experiment or its data was loaded"
    if (others := threading.active_count() - 1) > 0:
        return f"{others} thread(s) were left running when the experiment or its data was loaded"
    return ""


def _uses_cuda() -> bool:
    with contextlib.suppress(OSError):  # without /proc there is no CUDA
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # that of the listing itself
                if str(link.readlink()).startswith(_CUDA_DEVICE):
                    return True
    return False
