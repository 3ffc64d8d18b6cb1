"""A log directory that is a URL, as everything else sees it: a local directory.

with opened("s3://bucket/logs", writes=True, warn=...) as folder:
    ...                                             # any work on any path below `folder`
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hparams_lab.errors import LogdirError, StorageError
from hparams_lab.logdir.mounts import Mount, add_mount, find_mount, remove_mount
from hparams_lab.remote.holders import Holders
from hparams_lab.remote.mirror import Mirror
from hparams_lab.remote.plan import CONFIG_FILE, SWEEP_FILE, Pulled
from hparams_lab.remote.retry import patiently
from hparams_lab.remote.store import Store
from hparams_lab.remote.ticker import Ticker
from hparams_lab.remote.url import read_upload_secs

Warn = Callable[[str], None]
"""Takes a sentence that the user should see."""

# How long the end is tried, where nothing had failed before.
_LAST_SECS = 3.0

# How many intervals the files of a run on a node are tried to be had.
_FETCH_BEATS = 4


class RemoteLogdir(Mount):
    """A URL's mirror, and what goes on in the background to keep the two the same.

    Args:
        url: of the log directory.
        warn: is called with what goes wrong in the background, or was put aside.

    Attributes:
        num_users: how often `mount_url` has returned it.

    Raises:
        UsageError: if nothing that is installed knows such URLs.
        LogdirError: if there can be no mirror.
    """

    def __init__(self, url: str, *, warn: Warn) -> None:
        self._store = Store(url)
        self.url = self._store.url
        self._mirror = Mirror(self._store)
        self.root = self._mirror.root
        self._warn = warn
        self._secs = read_upload_secs()
        self._holders = Holders(self._store, self._mirror.sessions.mirror_id)
        self._tickers: list[Ticker] = []
        self._writes = False
        self._lost: list[str] = []
        self.num_users = 1

    def refresh(self, below: str = "") -> Pulled:
        """Get what is new there.

        Args:
            below: only this folder.

        Raises:
            LogdirError: if the URL cannot be reached.
        """
        pulled = self._mirror.pull(below)
        if pulled.set_aside:
            first = pulled.set_aside[0]
            self._warn(
                f"another machine has gone on with what this one had not sent to "
                f"{self.url}: the other's stands, and what was here ({len(pulled.set_aside)} "
                f"files) was put aside: {first}"
            )
        return pulled

    def send_leftovers(self) -> None:
        """Send what an earlier process could not; those who cannot write are only warned."""
        if self._mirror.has_unsent() and not self._mirror.sessions.others_write:
            try:
                self._mirror.push()
            except LogdirError as error:
                self._warn(f"{error} What was not sent before is kept in {self._mirror.folder}.")

    def write(self, *, removes: bool = False) -> None:
        """Send what is written from now on, at every interval and in the end.

        Args:
            removes: whether what goes from anywhere is to go there, too; else only what goes
                from the sweeps that are held.
        """
        if removes:
            self._mirror.watch_removals()
        if not self._writes:
            self._writes = True
            self._mirror.sessions.enter()
            self._start(self._upload, "upload")
            # Also while an upload takes long, and without pauses that it would not survive.
            self._start(self.beat, "lease", max_pause=1)

    def follow(self) -> None:
        """Get what is new there, at every interval."""
        self._start(self._follow, "download")

    @contextlib.contextmanager
    def hold(self, sweep_dir: Path) -> Iterator[None]:
        """Keep other machines from running a sweep."""
        name = self._mirror.name_of(sweep_dir)
        if self._holders.acquire(name, take_over=self.takes_over):
            self.refresh(name)  # whoever had it until now may have sent more of it
            self._mirror.watch_removals(name)
        yield
        # Given back by `close`: nobody is to go on with what is not sent yet.

    def is_held(self, sweep_dir: Path) -> bool:
        """Return whether another machine runs a sweep, as of some seconds ago."""
        try:
            return self._holders.is_held(self._mirror.name_of(sweep_dir))
        except LogdirError:
            return True  # unreachable: assume it is held

    def exchange(self) -> bool:
        """Send what was written and get what is new; return whether a sweep is, or is gone."""
        self._mirror.push()
        return any(name.endswith((SWEEP_FILE, CONFIG_FILE)) for name in self.refresh().changed)

    def fetch(self, folder: Path) -> None:
        """Get what nodes have written into a folder, where there are any.

        Raises:
            StorageError: if the URL cannot be reached for a while.
        """
        if self.is_written_by_nodes:
            fetch = partial(self._mirror.pull, self._mirror.name_of(folder))
            try:
                patiently(fetch, _FETCH_BEATS * self._secs)
            except LogdirError as error:
                raise StorageError(str(error)) from error

    def close(self) -> None:
        """Send what was written and end.

        Raises:
            LogdirError: if something could not be sent, or another machine has a sweep now.
        """
        for ticker in self._tickers:
            ticker.stop()
        try:
            if self._writes:
                self._send_all()
            self._holders.release_all()
        finally:
            self._mirror.sessions.leave()
        if self._lost:
            raise LogdirError(
                f"another machine has taken {', '.join(self._lost)} over. What was written here "
                f"since then was not sent; it is kept in {self._mirror.folder}."
            )

    def _start(self, action: Callable[[], None], name: str, *, max_pause: int = 8) -> None:
        ticker = Ticker(action, self._secs, warn=self._warn, name=name, max_pause=max_pause)
        self._tickers.append(ticker)

    def _upload(self) -> None:
        self.beat()  # whoever wakes from a long sleep learns first what it has lost
        self._mirror.push()

    def _follow(self) -> None:
        self.refresh()

    def beat(self) -> None:
        """Show that the sweeps that are held here are; send nothing of those that are lost.

        Raises:
            LogdirError: if the URL cannot be reached.
        """
        for sweep in self._holders.beat():
            self._mirror.disown(sweep)
            self._lost.append(sweep)
            self._warn(f"another machine has taken {sweep} over. Stop this one: it is not sent.")

    def _send_all(self) -> None:
        is_failing = any(ticker.is_failing for ticker in self._tickers)
        kept = (
            f"All of it is kept in {self._mirror.folder}; the next command with "
            f"--logdir={self.url} sends it."
        )
        try:
            patiently(self._upload, 0.0 if is_failing else _LAST_SECS)
        except LogdirError as error:
            raise LogdirError(f"not everything could be sent: {error} {kept}") from error
        except KeyboardInterrupt:
            self._warn(f"interrupted before everything was sent. {kept}")
            raise


def mount_url(url: str, *, warn: Warn) -> RemoteLogdir:
    """Return the mount of a URL, with all that is there now; the same one while it is mounted.

    Args:
        url: of the log directory.
        warn: as for `RemoteLogdir`.

    Raises:
        UsageError: if nothing that is installed knows such URLs.
        LogdirError: if it cannot be reached.
    """
    mount = RemoteLogdir(url, warn=warn)
    known = find_mount(mount.url)
    if isinstance(known, RemoteLogdir):
        known.num_users += 1
        return known
    add_mount(mount)
    try:
        mount.refresh()
        mount.send_leftovers()
    except BaseException:
        remove_mount(mount)
        raise
    return mount
