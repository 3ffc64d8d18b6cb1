"""A local directory that is kept the same as what lies below a URL.

    pull:  what is new there comes here     push:  what is new here goes there

Both know what the two had in common last, so that a file that changed on one side is distinguished
from one that changed on the other. What was written here and is not there yet is never
lost to a pull. Whose a sweep is, is said by its `sweep.json`: once another machine has gone
on with it, what this one had not sent is put aside, and the other's stands.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from hparams_lab.errors import LogdirError
from hparams_lab.remote.plan import CONFIG_FILE, LOCK_FILE, SWEEP_FILE, Pulled, is_shared, plan_pull
from hparams_lab.remote.store import Object, Store
from hparams_lab.remote.synced import UNKNOWN, Agreed, Stamp, SyncState, list_files, stamp_of
from hparams_lab.remote.url import mirror_dir
from hparams_lab.remote.writers import Sessions

_LOCK_SECS = 600.0


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
        self._watched: tuple[str, ...] = ()
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
            self._recognize_own(there, here, state)
            heals = not self.sessions.others_write
            plan = plan_pull(there, here, state, heals=heals, below=below)
            set_aside: list[Path] = []
            shutil.rmtree(self.folder / "parts", ignore_errors=True)  # of one that was killed
            for name in plan.lost:
                set_aside.append(self._set_aside(name))
                state.files.pop(name, None)
            for name in plan.gone:
                self._remove_here(name)
                state.files.pop(name, None)

            def get(name: str) -> None:
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    stamp = self._get(name, set_aside, is_disputed=name in plan.disputed)
                    state.files[name] = Agreed(there[name].token, stamp)

            transfer_all(get, plan.wanted)
            self._watch(plan.wanted)
        return Pulled({*plan.wanted, *plan.gone, *plan.lost}, set_aside)

    def push(self) -> None:
        """Make what is there what is here, as far as it was changed here.

        Raises:
            LogdirError: if the URL cannot be reached. What was not sent, is by the next push.
        """
        with self._agreeing() as state:
            here = self._scan()
            self._note_removals(here, state)
            self._watch(here)
            changed = state.list_changed(here)

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
        state = SyncState.load(self._state_file)
        return bool(state.removed) or bool(state.list_changed(self._scan()))

    def watch_removals(self, below: str = "") -> None:
        """Take what goes from now on for removed: by those whose it is.

        To all others, what is missing is a cache's loss, and comes again.

        Args:
            below: what goes from this folder; by default from all.
        """
        with self._lock:
            self._watched += (f"{below}/" if below else "",)
            self._watch(self._scan(below))

    def disown(self, folder: str) -> None:
        """Touch nothing of a sweep any more, as another machine has it now."""
        self._disowned += (f"{folder}/",)

    def name_of(self, path: Path) -> str:
        """Return a path below the root as the store names it."""
        name = path.relative_to(self.root).as_posix()
        return "" if name == "." else name

    @contextlib.contextmanager
    def _agreeing(self) -> Iterator[SyncState]:
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
                state = SyncState.load(self._state_file)
                before = SyncState(dict(state.files), set(state.removed))
                try:
                    yield state
                finally:
                    if state != before:
                        state.save(self._state_file)

    def _scan(self, below: str = "") -> dict[str, Stamp]:
        found = list_files(self.root, below)
        return {name: stamp for name, stamp in found.items() if self._is_shared(name)}

    def _is_shared(self, name: str) -> bool:
        return is_shared(name) and not name.startswith(self._disowned)

    def _watch(self, names: Iterable[str]) -> None:
        self._seen |= {name for name in names if name.startswith(self._watched)}

    def _recognize_own(
        self, there: Mapping[str, Object], here: Mapping[str, Stamp], state: SyncState
    ) -> None:
        """Note which new `sweep.json` were sent from here by a process that could not note it."""
        for name in filter(lambda name: name.endswith(SWEEP_FILE), there.keys() & here.keys()):
            agreed = state.files.get(name)
            if agreed and there[name].token != agreed.token and here[name] != agreed.stamp:
                with contextlib.suppress(FileNotFoundError):
                    if self._store.read(name) == (self.root / name).read_bytes():
                        state.files[name] = Agreed(there[name].token, here[name])

    def _note_removals(self, here: Mapping[str, Stamp], state: SyncState, below: str = "") -> None:
        if not self.root.is_dir():  # which no command removes
            self._seen.clear()
        within = {name for name in self._seen if not below or name.startswith(f"{below}/")}
        gone = within - here.keys()
        self._seen -= gone
        state.removed |= {name for name in gone if name in state.files and self._is_shared(name)}
        state.removed -= here.keys()

    def _get(self, name: str, set_aside: list[Path], *, is_disputed: bool) -> Stamp:
        """Bring a file here, and return the stamp of what is there.

        Where that replaces a file that may be missed, `set_aside` says where that one is.
        """
        part = self.folder / "parts" / uuid.uuid4().hex
        part.parent.mkdir(exist_ok=True)
        target = self.root / name
        try:
            self._store.download(name, part)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not grow_to(target, part):
                if is_disputed and begins_with(target, part):
                    return UNKNOWN  # the beginning of ours, which a push takes there
                # A config follows from the sweeps, and is written again by whoever needs it.
                if is_disputed and not name.endswith(CONFIG_FILE):
                    set_aside.append(self._set_aside(name))
                part.replace(target)
            return stamp_of(target)
        finally:
            part.unlink(missing_ok=True)

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


_NUM_TRANSFERS = 16


def transfer_all(move: Callable[[str], None], names: Sequence[str]) -> None:
    """Move files; begin with no more after one has failed.

    Args:
        move: one file, by name, in another thread; what it raises is raised here.
        names: of the files.
    """
    has_failed = threading.Event()

    def attempt(name: str) -> None:
        if has_failed.is_set():
            return
        try:
            move(name)
        except BaseException:
            has_failed.set()
            raise

    with ThreadPoolExecutor(_NUM_TRANSFERS) as pool:
        try:
            for done in [pool.submit(attempt, name) for name in names]:
                done.result()
        finally:
            has_failed.set()  # as on Ctrl-C


_CHUNK_BYTES = 2**20


def begins_with(path: Path, beginning: Path) -> bool:
    """Return whether a file begins with all of another's content.

    Raises:
        OSError: if one of them cannot be read.
    """
    with path.open("rb") as file, beginning.open("rb") as first:
        while chunk := first.read(_CHUNK_BYTES):
            if file.read(len(chunk)) != chunk:
                return False
    return True


def grow_to(target: Path, longer: Path) -> bool:
    """Append to a file what it lacks of another that begins with it; return whether that does.

    Args:
        target: need not be there.
        longer: not changed.
    """
    if not target.exists() or not begins_with(longer, target):
        return False
    with longer.open("rb") as new, target.open("ab", buffering=0) as file:
        new.seek(file.tell())
        shutil.copyfileobj(new, file, _CHUNK_BYTES)
    return True
