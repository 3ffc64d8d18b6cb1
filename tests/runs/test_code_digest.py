"""The digest by which two sweeps of the same code know each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.runs.provenance import Provenance, collect_provenance


def digest(folder: Path, files: dict[str, str]) -> str:
    """Return the digest of a program of those files."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return collect_provenance((), [folder / name for name in files]).code_digest


CODE = {"toy.py": "import neighbour\n", "neighbour.py": "SIZE = 3\n"}


def test_the_same_code_elsewhere_has_the_same_digest(tmp_path: Path) -> None:
    """The digest does not depend on where the code lies, nor when it was written."""
    first, second = digest(tmp_path / "one", CODE), digest(tmp_path / "two", CODE)

    assert first == second
    assert "" != first


@pytest.mark.parametrize(
    "changed",
    [
        {**CODE, "neighbour.py": "SIZE = 4\n"},
        {"toy.py": CODE["toy.py"]},
        {"toy.py": CODE["toy.py"], "other.py": CODE["neighbour.py"]},
    ],
    ids=["changed", "removed", "renamed"],
)
def test_other_code_has_another_digest(changed: dict[str, str], tmp_path: Path) -> None:
    """A changed, missing or renamed file is other code."""
    assert digest(tmp_path / "one", CODE) != digest(tmp_path / "two", changed)


def test_a_digest_survives_json(tmp_path: Path) -> None:
    """The digest is kept with the sweep; where it was not recorded, it is empty."""
    (tmp_path / "toy.py").touch()
    made_by = collect_provenance((), [tmp_path / "toy.py"])
    data = made_by.encode_json()

    assert made_by.code_digest == Provenance.decode_json(data).code_digest
    assert "" == Provenance.decode_json({**data, "code_digest": ""}).code_digest
