"""Which machine runs a sweep: a record in the object store.

    <url>/.leases/<experiment>/<sweep>/0001       the holder; written anew at every beat

A sweep has one holder, until that gives it back or a person takes it over with `--take_over`.
Nothing is decided by a clock: the record's last beat is a sign of life to show, no more.
Taking over creates the next number, which one machine only can. The machine that lost the
sweep finds that number at its next beat, and sends nothing of the sweep any more.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import math
import os
import socket
import threading
import time
import uuid
from datetime import datetime

from hparams_lab.errors import LogdirError
from hparams_lab.remote.plan import LEASES
from hparams_lab.remote.store import Object, Store

_FRESH_SECS = 5.0


class Holders:
    """The holders of the sweeps of a log directory. Thread-safe.

    Args:
        store: of the log directory.
        mirror_id: of the mirror here, in which the system's own locks say whether a process
            is dead.
    """

    def __init__(self, store: Store, mirror_id: str) -> None:
        self._store = store
        self._mirror_id = mirror_id
        self._own: dict[str, int] = {}
        self._lock = threading.Lock()
        self._listed: tuple[float, dict[str, dict[int, Object]]] = (-math.inf, {})

    def acquire(self, sweep: str, *, take_over: bool = False) -> bool:
        """Become the holder of a sweep; return whether this process was not already.

        The caller has the system's lock on the sweep: a holder of the same mirror is dead.

        Args:
            sweep: as the store names it.
            take_over: whether to become it though another machine is.

        Raises:
            LogdirError: if another machine is the holder, or the store cannot be reached.
        """
        if sweep in self._own:
            return False
        found = self._find(sweep)
        number = max(found, default=0)
        if number and not take_over:
            holder = self._read(sweep, number)
            if holder.get("mirror") != self._mirror_id:
                raise LogdirError(_format_held(sweep, holder, found[number].modified_secs))
        if not self._store.create(_name(sweep, number + 1), self._content()):
            raise LogdirError(
                f"a sweep is run by one machine at a time, and another has just taken {sweep}. "
                "Wait for it to end, or stop it."
            )
        with self._lock:
            self._own[sweep] = number + 1
        return True

    def release(self, sweep: str) -> None:
        """Give a sweep back; nothing if it is not held.

        Raises:
            LogdirError: if the store cannot be reached.
        """
        with self._lock:
            number = self._own.pop(sweep, 0)
        if number:  # the highest last: as long as it is there, nobody takes another
            for each in range(1, number + 1):
                self._store.remove([_name(sweep, each)])

    def release_all(self) -> None:
        """Give all sweeps back.

        Raises:
            LogdirError: as `release`.
        """
        for sweep in [*self._own]:
            self.release(sweep)

    def beat(self) -> list[str]:
        """Write the records anew; return the sweeps that others have taken over.

        Raises:
            LogdirError: if the store cannot be reached.
        """
        lost = []
        for sweep, number in [*self._own.items()]:
            # Higher, or none: whoever took it over may have ended since.
            if max(self._find(sweep), default=0) != number:
                if self._own.pop(sweep, None) is not None:  # another thread may have found it
                    lost.append(sweep)
                continue
            with self._lock:
                if sweep in self._own:  # it may have been released meanwhile
                    self._store.write(_name(sweep, number), self._content())
        return lost

    def is_held(self, sweep: str) -> bool:
        """Return whether another machine holds a sweep, as of some seconds ago.

        Raises:
            LogdirError: if the store cannot be reached.
        """
        if time.monotonic() - self._listed[0] > _FRESH_SECS:
            self._listed = (time.monotonic(), self._list())
        found = self._listed[1].get(sweep, {})
        if not found or sweep in self._own:
            return False
        # Of a holder in the same mirror the system's lock says it better.
        return self._read(sweep, max(found)).get("mirror") != self._mirror_id

    def _list(self, sweep: str = "") -> dict[str, dict[int, Object]]:
        found: dict[str, dict[int, Object]] = {}
        for name, each in self._store.list(f"{LEASES}/{sweep}".rstrip("/")).items():
            folder, _, number = name.removeprefix(f"{LEASES}/").rpartition("/")
            if folder and number.isdecimal():
                found.setdefault(folder, {})[int(number)] = each
        return found

    def _find(self, sweep: str) -> dict[int, Object]:
        return self._list(sweep).get(sweep, {})

    def _read(self, sweep: str, number: int) -> dict[str, str]:
        with contextlib.suppress(FileNotFoundError, ValueError):  # released meanwhile
            return dict(json.loads(self._store.read(_name(sweep, number))))
        return {}

    def _content(self) -> bytes:
        record = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "mirror": self._mirror_id,
            "beat": uuid.uuid4().hex,  # so that each beat is another object
        }
        with contextlib.suppress(KeyError, OSError):  # as in a container, which has no users
            record["user"] = getpass.getuser()
        return json.dumps(record).encode()


def _format_held(sweep: str, holder: dict[str, str], beat_secs: float) -> str:
    user = f"{holder['user']}@" if "user" in holder else ""
    whose = f"{user}{holder.get('host', 'another')} (process {holder.get('pid', '?')})"
    beat = "unknown"
    if not math.isnan(beat_secs):
        beat = datetime.fromtimestamp(beat_secs).astimezone().isoformat(" ", "seconds")
    return (
        f"a sweep is run by one machine at a time, and {whose} holds {sweep}; its last sign of "
        f"life: {beat}. Stop it; if it is dead, take the sweep over by resume --take_over."
    )


def _name(sweep: str, number: int) -> str:
    return f"{LEASES}/{sweep}/{number:04d}"
