"""Which machine runs a sweep: leases in the object store.

    <url>/.leases/<experiment>/<sweep>/0001       who holds it; written anew at every beat

A lease holds as long as it is written; one that was not for four beats is taken over, by
the next number, which can be created once only. The times that are compared are the
store's own, so that no two clocks need agree. A machine that was taken for dead and is not
finds the higher number at its next beat, and sends nothing of the sweep any more.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import threading
import time
import uuid

from hparams_lab.errors import LogdirError
from hparams_lab.remote.plan import LEASES
from hparams_lab.remote.store import Object, Store

_BEATS_TO_DEATH = 4
_FRESH_SECS = 5.0


class Leases:
    """The leases of a log directory. Thread-safe.

    Args:
        store: of the log directory.
        holder: who holds what is held here: the mirror, in which the system's own locks tell
            whether a process is dead.
        beat_secs: how often `beat` is called.
    """

    def __init__(self, store: Store, holder: str, *, beat_secs: float) -> None:
        self._store = store
        self._holder = holder
        self._beat_secs = beat_secs
        self._own: dict[str, int] = {}
        self._lock = threading.Lock()
        self._listed: tuple[float, dict[str, dict[int, Object]]] = (-math.inf, {})

    @property
    def stale_secs(self) -> float:
        """After how long a lease that is not written is nobody's."""
        return _BEATS_TO_DEATH * self._beat_secs

    def reserve(self, sweep: str) -> bool:
        """Take the lease of a sweep that nobody ever had; return whether that was so.

        Raises:
            LogdirError: if the store cannot be reached.
        """
        if self._find(sweep) or not self._store.create(_name(sweep, 1), self._content()):
            return False
        with self._lock:
            self._own[sweep] = 1
        if self._store.list(sweep):  # whoever had it is done, and has given its lease back
            self.release(sweep)
            return False
        return True

    def acquire(self, sweep: str) -> bool:
        """Take the lease of a sweep; return whether it was not held already.

        Raises:
            LogdirError: if another machine has it, or the store cannot be reached.
        """
        if sweep in self._own:
            return False
        found = self._find(sweep)
        number = max(found, default=0)
        if number:
            holder = self._read(sweep, number)
            age_secs = self._now_secs() - found[number].modified_secs
            # Of this mirror, and the system's lock on the sweep is ours: its process is dead.
            if holder.get("mirror") != self._holder and not age_secs > self.stale_secs:
                raise LogdirError(self._format_held(sweep, holder, age_secs))
        if not self._store.create(_name(sweep, number + 1), self._content()):
            raise LogdirError(
                f"a sweep is run by one machine at a time, and another has just taken {sweep}. "
                "Wait for it to end, or stop it."
            )
        with self._lock:
            self._own[sweep] = number + 1
        return True

    def release(self, sweep: str) -> None:
        """Give a lease back; nothing if it is not held.

        Raises:
            LogdirError: if the store cannot be reached. Others may have it once it is stale.
        """
        with self._lock:
            number = self._own.pop(sweep, 0)
        if number:  # the highest last: as long as it is there, nobody takes another
            for each in range(1, number + 1):
                self._store.remove([_name(sweep, each)])

    def release_all(self) -> None:
        """Give all leases back.

        Raises:
            LogdirError: as `release`.
        """
        for sweep in [*self._own]:
            self.release(sweep)

    def beat(self) -> list[str]:
        """Write the leases that are held; return the sweeps that others have taken over.

        Raises:
            LogdirError: if the store cannot be reached.
        """
        lost = []
        for sweep, number in [*self._own.items()]:
            # Higher, or none: whoever took it over may have ended since.
            if max(self._find(sweep), default=0) != number:
                if self._own.pop(sweep, None) is not None:  # another thread may have told it
                    lost.append(sweep)
                continue
            with self._lock:
                if sweep in self._own:  # it may have been released meanwhile
                    self._store.write(_name(sweep, number), self._content())
        return lost

    def is_held(self, sweep: str) -> bool:
        """Return whether another machine holds a lease, as of some seconds ago.

        Raises:
            LogdirError: if the store cannot be reached.
        """
        if time.monotonic() - self._listed[0] > _FRESH_SECS:
            self._listed = (time.monotonic(), self._list())
        found = self._listed[1].get(sweep, {})
        if not found or sweep in self._own:
            return False
        number = max(found)
        if self._read(sweep, number).get("mirror") == self._holder:
            return False  # the system's lock says it better
        return not self._now_secs() - found[number].modified_secs > self.stale_secs

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
        """Return who this is, and something new, by which it is seen to be written."""
        host, pid = socket.gethostname(), os.getpid()
        told = {"host": host, "pid": pid, "mirror": self._holder, "beat": uuid.uuid4().hex}
        return json.dumps(told).encode()

    def _now_secs(self) -> float:
        """Return the time by the store's clock; by ours where nothing may be written there."""
        name = f"{LEASES}/clock-{uuid.uuid4().hex}"
        try:
            self._store.write(name, b"")
            now_secs = self._store.find(name).modified_secs
            self._store.remove([name])
        except (LogdirError, FileNotFoundError):
            return time.time()
        return time.time() if math.isnan(now_secs) else now_secs

    def _format_held(self, sweep: str, holder: dict[str, str], age_secs: float) -> str:
        whose = f"{holder.get('host', 'another')} (process {holder.get('pid', '?')})"
        return (
            f"a sweep is run by one machine at a time, and {whose} is running {sweep}: it was "
            f"heard of {max(0.0, age_secs):.0f} s ago. Stop it; if it is dead, try again in "
            f"{max(1.0, self.stale_secs - age_secs):.0f} s."
        )


def _name(sweep: str, number: int) -> str:
    return f"{LEASES}/{sweep}/{number:04d}"
