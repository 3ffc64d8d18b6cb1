from __future__ import annotations

import os
from pathlib import Path

import pytest

from hparams_lab.tf_noise import StderrBuffer, quiet_stderr, remove_if_only_chatter, strip_chatter

CHATTER = {
    "header": b"WARNING: All log messages before absl::InitializeLog() is called are written\n",
    "info": b"I0000 00:00:1795252448.1     123 cpu_feature_guard.cc:227] This TensorFlow binary\n",
    "warning": b"W0000 00:00:1795252448.1     123 gpu_device.cc:2342] Cannot dlopen\n",
    "no_gpu": b"E0000 00:00:1.1 1 cuda_platform.cc:51] failed call to cuInit: UNKNOWN ERROR\n",
    "older": b"2026-11-21 07:34:05.123456: I tensorflow/core/util/port.cc:153] oneDNN\n",
    "advice": b"To enable the following instructions: AVX2 FMA, in other operations\n",
    "empty": b"\n",
}

OWN = {
    "error": b"E0000 00:00:1795252448.1     123 executor.cc:1] out of memory\n",
    "older_error": b"2026-11-21 07:34:05.123456: E tensorflow/core/executor.cc:1] failed\n",
    "warning": b"UserWarning: the learning rate is high\n",
    "quoted": b"see 'I0000 00:00:1.1 1 guard.cc:2] text'\n",
    "no_line_end": b"epoch 1",
    "not_text": b"\xff\xfe\n",
}


@pytest.mark.parametrize("line", CHATTER.values(), ids=CHATTER)
def test_chatter_is_stripped(line: bytes) -> None:
    """A line that tells a user nothing is dropped from among others."""
    assert b"before\nafter\n" == strip_chatter(b"before\n" + line + b"after\n")


@pytest.mark.parametrize("line", OWN.values(), ids=OWN)
def test_anything_else_is_kept(line: bytes) -> None:
    """Errors, warnings of Python's, and whatever else is printed are kept byte for byte."""
    assert line == strip_chatter(CHATTER["info"] + line)


def test_stderr_is_passed_on_without_chatter(capfd: pytest.CaptureFixture[str]) -> None:
    """What is written to the file descriptor inside comes out at the end, less the chatter."""
    with quiet_stderr():
        os.write(2, CHATTER["info"] + b"from C\n")

        assert ("", "") == capfd.readouterr()
    assert ("", "from C\n") == capfd.readouterr()


def test_stderr_is_passed_on_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    """What was written before an exception is not lost, and stderr works again."""
    with pytest.raises(ValueError, match="stop"), quiet_stderr():
        os.write(2, b"before\n")
        raise ValueError("stop")
    os.write(2, b"after\n")

    assert "before\nafter\n" == capfd.readouterr().err


def test_stdout_is_left_alone(capfd: pytest.CaptureFixture[str]) -> None:
    """What is written to stdout inside comes out at once."""
    with quiet_stderr():
        os.write(1, b"at once")

        assert "at once" == capfd.readouterr().out


@pytest.mark.parametrize("content", [b"", b"".join(CHATTER.values())], ids=["empty", "chatter"])
def test_output_of_nothing_but_chatter_is_deleted(content: bytes, tmp_path: Path) -> None:
    """An output file in which a user would find nothing is not left to be opened."""
    path = tmp_path / "output.log"
    path.write_bytes(content)
    remove_if_only_chatter(path)

    assert not path.exists()


@pytest.mark.parametrize("own", [b"epoch 1\n", b"\n" * 10_000], ids=["own", "long"])
def test_output_of_the_user_is_kept(own: bytes, tmp_path: Path) -> None:
    """An output file with anything of the user's stays whole, chatter included."""
    path = tmp_path / "output.log"
    path.write_bytes(CHATTER["info"] + own)
    remove_if_only_chatter(path)

    assert CHATTER["info"] + own == path.read_bytes()


def test_missing_output_is_no_error(tmp_path: Path) -> None:
    """A run that printed nothing has no file to delete."""
    remove_if_only_chatter(tmp_path / "output.log")

    assert [] == list(tmp_path.iterdir())


def test_held_output_is_passed_on_line_by_line(capfd: pytest.CaptureFixture[str]) -> None:
    """Whole lines that are no chatter come at once, the rest at the end."""
    held = StderrBuffer()
    os.write(held.file.fileno(), b"To enable the following instructions: X\nown\nbegun")
    held.pass_on()

    assert "own\n" == capfd.readouterr().err
    held.close()
    assert "begun" == capfd.readouterr().err
