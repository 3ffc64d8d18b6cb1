"""An object store, or any other filesystem that fsspec knows, below one URL.

Objects are named by their paths below the URL. Each is written as a whole: a reader gets
the one that was, or the one that is.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hparams_lab.errors import HParamsLabError, LogdirError, UsageError
from hparams_lab.remote.filesystem import describe_failure, open_url

# What fsspec's filesystems call the same. Where there is a digest, time and size do not count.
_DIGESTS = ("ETag", "etag", "md5Hash", "content_md5")
_TIMES = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")

# These have folders and renames, and write a file bit by bit.
_WITH_FOLDERS = {"file", "local", "sftp", "ssh", "smb", "hdfs", "arrow_hdfs", "ftp"}

# These remove a thousand objects in one request, whether they are there or not.
_IN_BULK = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}
_PATTERN = {*"*?["}


@dataclass(frozen=True)
class Object:
    """What is known of an object without reading it."""

    token: str  # changes when its content does
    size: int  # in bytes
    modified_secs: float  # when it was written, by the store's clock; NaN if it does not say


class Store:
    """What lies below a URL. Thread-safe.

    Args:
        url: of a log directory; nothing need be there.

    Attributes:
        url: as fsspec writes it, without a slash at its end.
        name: the last part of the URL.

    Raises:
        UsageError: if nothing that is installed knows such URLs.
        LogdirError: if it cannot be opened, as for want of credentials.
    """

    def __init__(self, url: str) -> None:
        self._files, self._root = open_url(url)
        self._root = self._root.rstrip("/")
        if not self._root:
            raise UsageError(f"--logdir={url} names no place. Name one such as s3://bucket/logs.")
        self.url: str = self._files.unstrip_protocol(self._root).rstrip("/")
        self.name = self._root.rpartition("/")[2] or "logs"
        protocol = self._files.protocol
        self._protocols = {protocol} if isinstance(protocol, str) else {*protocol}
        self._has_folders = bool(self._protocols & _WITH_FOLDERS)

    def list(self, below: str = "") -> dict[str, Object]:
        """Return the objects in a folder and all its folders, by name; none if it is not there.

        Raises:
            LogdirError: if the store cannot be reached, or there is no such bucket.
        """
        with self._telling():
            self._files.invalidate_cache()
            found = self._files.find(self._at(below), detail=True)
        objects = {
            key.removeprefix(self._root).lstrip("/"): _describe(info)
            for key, info in found.items()
            if info.get("type") == "file" and not key.endswith("/")
        }
        # Whoever writes into the bucket is not to write anywhere on this disk.
        return {name: each for name, each in objects.items() if _is_safe(name)}

    def find(self, name: str) -> Object:
        """Return what is known of an object.

        Raises:
            FileNotFoundError: if there is none.
            LogdirError: if the store cannot be reached.
        """
        with self._telling(tells_missing=False):
            self._files.invalidate_cache(self._at(name))
            return _describe(self._files.info(self._at(name)))

    def download(self, name: str, target: Path) -> None:
        """Write an object to a new file.

        Raises:
            FileNotFoundError: if there is none.
            LogdirError: if the store cannot be reached.
        """
        with self._telling(tells_missing=False):
            self._files.get_file(self._at(name), str(target))

    def read(self, name: str) -> bytes:
        """Return an object's content.

        Raises:
            FileNotFoundError: if there is none.
            LogdirError: if the store cannot be reached.
        """
        with self._telling(tells_missing=False):
            return bytes(self._files.cat_file(self._at(name)))

    def upload(self, source: Path, name: str) -> Object:
        """Write a file's content to an object, whole, and return what the store says of it.

        Raises:
            LogdirError: if the store cannot be reached, or does not allow it.
            OSError: if the file cannot be read.
        """
        source.stat()  # its own absence is not the store's
        with self._telling(name):  # one that a store refuses is found by it
            self._write(lambda where: self._files.put_file(str(source), where), name)
            return _describe(self._files.info(self._at(name)))

    def write(self, name: str, content: bytes) -> None:
        """Write an object, whole.

        Raises:
            LogdirError: if the store cannot be reached, or does not allow it.
        """
        with self._telling():
            self._write(lambda where: self._files.pipe_file(where, content), name)

    def create(self, name: str, content: bytes) -> bool:
        """Write an object unless there is one; return whether it was written.

        Of several that try at once, one succeeds where the store knows how (S3, Google,
        Azure); elsewhere it is looked for first, and several may within that moment.

        Raises:
            LogdirError: if the store cannot be reached, or does not allow it.
        """
        with self._telling():
            if self._has_folders:
                self._files.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
            try:
                self._files.pipe_file(self._at(name), content, mode="create")
            except FileExistsError:
                return False
            except (TypeError, NotImplementedError, ValueError):
                if self._files.exists(self._at(name)):
                    return False
                self._files.pipe_file(self._at(name), content)
            except OSError as error:  # S3's answer to If-None-Match
                if "PreconditionFailed" in f"{error!r} {error.__cause__!r}" or (
                    "pre-conditions" in str(error)
                ):
                    return False
                raise
            return True

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; those that are not there are none the less gone.

        Raises:
            LogdirError: if the store cannot be reached, or does not allow it.
        """
        with self._telling():
            places = {name: self._at(name) for name in names}
            in_bulk: set[str] = set()
            if self._protocols & _IN_BULK:  # which takes patterns, and removes all they match
                in_bulk = {name for name, where in places.items() if not _PATTERN & {*where}}
            if in_bulk:
                self._files.rm([places[name] for name in in_bulk])
            for name in places.keys() - in_bulk:
                with contextlib.suppress(FileNotFoundError):
                    self._files.rm_file(places[name])
                if self._has_folders:
                    self._drop_empty_folders(name)

    def _write(self, write: Any, name: str) -> None:
        where = self._at(name)
        if not self._has_folders:
            write(where)
            return
        folder = where.rpartition("/")[0]
        self._files.makedirs(folder, exist_ok=True)
        aside = f"{folder}/.{uuid.uuid4().hex}.tmp"
        write(aside)
        self._files.mv(aside, where)

    def _drop_empty_folders(self, name: str) -> None:
        with contextlib.suppress(OSError):  # as one is not empty
            while name := name.rpartition("/")[0]:
                self._files.rmdir(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    @contextlib.contextmanager
    def _telling(self, name: str = "", *, tells_missing: bool = True) -> Iterator[None]:
        """Say what goes wrong in one sentence: libraries raise whatever they like."""
        try:
            yield
        except HParamsLabError:
            raise
        except Exception as error:
            if isinstance(error, FileNotFoundError) and not tells_missing:
                raise
            place = f"{self.url}/{name}" if name else self.url
            raise LogdirError(describe_failure(place, error)) from error


def _describe(info: dict[str, Any]) -> Object:
    size = int(info.get("size") or 0)
    modified_secs = next((_to_secs(info[key]) for key in _TIMES if info.get(key)), float("nan"))
    digest = next((str(info[key]) for key in _DIGESTS if info.get(key)), "")
    return Object(digest.strip('"') or f"{size} {modified_secs}", size, modified_secs)


def _to_secs(time: Any) -> float:
    if isinstance(time, str):
        time = datetime.fromisoformat(time.replace("Z", "+00:00"))
    return time.timestamp() if isinstance(time, datetime) else float(time)


def _is_safe(name: str) -> bool:
    return bool(name) and not {"", ".", ".."} & {*name.split("/")} and "\0" not in name
