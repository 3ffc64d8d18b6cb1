"""GPUs that are named, not there: an nvidia-smi that lists them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

A100 = "GPU-5c89852c-1111-2222-3333-444455556666"
H100 = "GPU-0a1b2c3d-1111-2222-3333-444455556666"
MIG_0 = "MIG-c6d4f1ef-1111-2222-3333-444455556666"
MIG_1 = "MIG-cba663e8-1111-2222-3333-444455556666"

LISTING = f"""
GPU 0: NVIDIA A100-SXM4-40GB (UUID: {A100})
GPU 1: NVIDIA H100 80GB HBM3 (UUID: {H100})
"""
DIVIDED_LISTING = f"""
GPU 0: NVIDIA A100-SXM4-40GB (UUID: {A100})
  MIG 3g.20gb     Device  0: (UUID: {MIG_0})
  MIG 1g.5gb      Device  1: (UUID: {MIG_1})
GPU 1: NVIDIA H100 80GB HBM3 (UUID: {H100})
"""

# As it says so itself.
BROKEN = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
FAIL = f'echo "{BROKEN}"; exit 9'


def print_listing(listing: str, exit_code: int = 0) -> str:
    """Return the script of a tool that prints a listing when it is asked for one."""
    return f"[ \"$*\" = -L ] || exit 99\necho '{listing.strip()}'\nexit {exit_code}"


class FakeTool:
    """The only program on the path, in a folder of its own.

    Args:
        folder: that gets it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def write(self, script: str) -> None:
        """Write nvidia-smi, given what it does in words of the shell."""
        tool = self.folder / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)


def put_fake_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    """Forget the GPUs of this machine and what the user says of them; there is no tool yet."""
    for name in ("CUDA_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH"):
        monkeypatch.delenv(name, raising=False)
    tool = FakeTool(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tool.folder))
    return tool
