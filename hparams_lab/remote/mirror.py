"""A local directory that is kept the same as what lies below a URL.

    pull:  what is new there comes here     push:  what is new here goes there

Both know what the two had in common last, so that a file that changed on one side is told
from one that changed on the other. What was written here and is not there yet is never
lost to a pull. Whose a sweep is, is said by its `sweep.json`: once another machine has gone
on with it, what this one had not sent is put aside, and the other's stands.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hparams_lab.errors import LogdirError
from hparams_lab.remote.growth import grow_to
from hparams_lab.remote.plan import CONFIG_FILE, LOCK_FILE, SWEEP_FILE, is_shared, plan_pull
from hparams_lab.remote.sessions import Sessions
from hparams_lab.remote.state import Agreed, Stamp, State, scan_files, stamp_of
from hparams_lab.remote.store import Store
from hparams_lab.remote.transfer import transfer_all
from hparams_lab.remote.url import mirror_dir

_LOCK_SECS = 600.0


@dataclass(frozen=True)
class Pulled:
    """What a pull did.

    Attributes:
        changed: names of the files that came or went.
        set_aside: where those are now that were changed here, but gave way.
    """

    changed: set[str]
    set_aside: list[Path]


class Mirror:
    """A URL's mirror on this machine. Processes share it; each has an object of this class.

    Thread-safe.

    Args:
        store: what lies below the URL.
        folder: where the mirror lies; by default with the user's other caches.

    Attributes:
        folder: where it lies, with all that belongs to it.
        root: the log directory: what is in it is what lies below the URL.
        sessions: those who write into it now.

    Raises:
        LogdirError: if there can be no such folder.
    """

    def __init__(self, store: Store, folder: Path | None = None) -> None:
        self._store = store
        self.folder = folder or mirror_dir(store.url)
        # Named as the URL is, which may be that of one experiment.
        self.root = self.folder / "tree" / store.name
        self._state_file = self.folder / "state.json"
        self._is_watching = False
        self._seen: set[str] = set()
        self._disowned: tuple[str, ...] = ()
        self._lock = threading.Lock()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            (self.folder / "url").write_text(f"{store.url}\n", encoding="utf-8")
            self.sessions = Sessions(self.folder)
        except OSError as error:
            raise LogdirError(
                f"cannot keep a mirror of {store.url}: {error}. Name another folder with "
                "HPARAMS_LAB_CACHE_DIR."
            ) from error

    def pull(self, below: str = "") -> Pulled:
        """Make what is here what is there, save for what was written here and is not sent yet.

        Args:
            below: only this folder.

        Raises:
            LogdirError: if the URL cannot be reached. What has come by then is whole.
        """
        with self._agreeing() as state:
            found = self._store.list(below)
            there = {name: each for name, each in found.items() if self._is_shared(name)}
            here = self._scan(below)
            self._note_removals(here, state, below)
            plan = plan_pull(there, here, state, heals=not self.sessions.others_write)
            set_aside = []
            for name in plan.lost:
                set_aside.append(self._set_aside(name))
                state.files.pop(name, None)
            for name in plan.gone:
                self._remove_here(name)
                state.files.pop(name, None)

            def get(name: str) -> None:
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    if kept := self._get(name, is_disputed=name in plan.disputed):
                        set_aside.append(kept)
                    state.files[name] = Agreed(there[name].token, stamp_of(self.root / name))

            transfer_all(get, plan.wanted)
            if self._is_watching:
                self._seen |= {*plan.wanted}
        return Pulled({*plan.wanted, *plan.gone, *plan.lost}, set_aside)

    def push(self) -> None:
        """Make what is there what is here, as far as it was changed here.

        Raises:
            LogdirError: if the URL cannot be reached. What was not sent, is by the next push.
        """
        with self._agreeing() as state:
            here = self._scan()
            self._note_removals(here, state)
            if self._is_watching:
                self._seen |= {*here}
            changed = _list_changed(here, state)

            def put(name: str) -> None:
                path = self.root / name
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    stamp = stamp_of(path)  # before it is read: it may grow meanwhile
                    state.files[name] = Agreed(self._store.upload(path, name).token, stamp)

            # What makes a directory a sweep comes behind what describes it.
            transfer_all(put, [name for name in changed if not name.endswith(SWEEP_FILE)])
            transfer_all(put, [name for name in changed if name.endswith(SWEEP_FILE)])
            if state.removed:
                self._store.remove(sorted(state.removed))
                for name in state.removed:
                    state.files.pop(name, None)
                state.removed.clear()

    def has_unsent(self) -> bool:
        """Return whether something was done here that is not done there."""
        state = State.load(self._state_file)
        return bool(state.removed) or bool(_list_changed(self._scan(), state))

    def watch_removals(self) -> None:
        """Take what goes from now on for removed: by those who write, as the mirror's owners.

        To all others, what is missing is a cache's loss, and comes again.
        """
        self._is_watching = True
        self._seen |= {*self._scan()}

    def disown(self, folder: str) -> None:
        """Touch nothing of a sweep any more, as another machine has it now."""
        self._disowned += (f"{folder}/",)

    def name_of(self, path: Path) -> str:
        """Return a path below the root as the store names it."""
        name = path.relative_to(self.root).as_posix()
        return "" if name == "." else name

    @contextlib.contextmanager
    def _agreeing(self) -> Iterator[State]:
        """Give what is agreed on, to one process and thread at a time; keep what becomes of it."""
        from filelock import FileLock, Timeout

        with self._lock:
            try:
                held = FileLock(self.folder / "sync.lock").acquire(timeout=_LOCK_SECS)
            except Timeout:
                raise LogdirError(
                    f"another process has been busy with {self._store.url} for "
                    f"{_LOCK_SECS / 60:g} minutes. Wait for it, or stop it."
                ) from None
            with held:
                state = State.load(self._state_file)
                before = State(dict(state.files), set(state.removed))
                try:
                    yield state
                finally:
                    if state != before:
                        state.save(self._state_file)

    def _scan(self, below: str = "") -> dict[str, Stamp]:
        found = scan_files(self.root, below)
        return {name: stamp for name, stamp in found.items() if self._is_shared(name)}

    def _is_shared(self, name: str) -> bool:
        return is_shared(name) and not name.startswith(self._disowned)

    def _note_removals(self, here: Mapping[str, Stamp], state: State, below: str = "") -> None:
        within = {name for name in self._seen if not below or name.startswith(f"{below}/")}
        gone = within - here.keys()
        self._seen -= gone
        state.removed |= {name for name in gone if name in state.files and self._is_shared(name)}
        state.removed -= here.keys()

    def _get(self, name: str, *, is_disputed: bool) -> Path | None:
        """Bring a file here; return where the one that it replaces is, if that may be missed."""
        part = self.folder / "parts" / uuid.uuid4().hex
        part.parent.mkdir(exist_ok=True)
        target = self.root / name
        kept = None
        try:
            self._store.download(name, part)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not grow_to(target, part):
                # A config follows from the sweeps, and is written again by whoever needs it.
                if is_disputed and not name.endswith(CONFIG_FILE):
                    kept = self._set_aside(name)
                part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return kept

    def _set_aside(self, name: str) -> Path:
        """Put a file where no reader finds it, and return where that is."""
        time = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        target = self.folder / "aside" / time / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).replace(target)
        return target

    def _remove_here(self, name: str) -> None:
        path = self.root / name
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # as a rule it holds more
            while (path := path.parent) != self.root:
                if [each.name for each in path.iterdir()] == [LOCK_FILE]:
                    (path / LOCK_FILE).unlink()
                path.rmdir()


def _list_changed(here: Mapping[str, Stamp], state: State) -> list[str]:
    unknown = Agreed("", Stamp(-1, 0, 0))
    return [name for name, stamp in here.items() if state.files.get(name, unknown).stamp != stamp]
