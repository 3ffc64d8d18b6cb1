"""What the tests of executors have done in other processes: setups and jobs."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from hparams_lab.errors import HParamsLabError
from hparams_lab.executors.base import Ask
from hparams_lab.testing.executors import is_alive, wait_until
from tests.support import asking_jobs as asking
from tests.support import littering_jobs as littering

SLEEP_SECS = 60  # longer than any test


class TwoPartError(HParamsLabError):
    """Cannot be unpickled: its arguments are not those it was made with."""

    def __init__(self, rule: str, value: int) -> None:
        super().__init__(f"{rule}; got {value}.")


def leave_thread(setup: Any) -> Any:
    """Call another setup and leave a thread running, after which nobody may fork."""
    threading.Thread(target=time.sleep, args=(SLEEP_SECS,), daemon=True).start()
    return setup()


def take_files() -> None:
    """Leave this process three file descriptors to open, which a server needs for itself."""
    lowest = os.dup(0)
    os.close(lowest)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 4, limit))


def load_slowly(secs: float) -> None:
    time.sleep(secs)


def run_tensorflow_op() -> int:
    import tensorflow as tf

    return int(tf.constant(1) + 1)


def import_tensorflow() -> None:
    import tensorflow  # noqa: F401 - loaded for the jobs to come


def kill_this_process() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def exit_process() -> NoReturn:
    sys.exit(3)


def raise_two_part_error() -> NoReturn:
    raise TwoPartError("the number must be even", 3)


def raise_key_error() -> NoReturn:
    raise KeyError("no such column")


def perform(state: Any, step: Any, ask: Ask) -> Any:
    """Do one of the things below, in `asking` or in `littering`, named by the argument."""
    name, *arguments = step
    if name in globals():
        return globals()[name](*arguments)
    module = asking if hasattr(asking, name) else littering
    return getattr(module, name)(ask, *arguments)


def get_pid() -> int:
    return os.getpid()


def get_parent_pid() -> int:
    return os.getppid()


def die_of(signal_name: str) -> None:
    os.kill(os.getpid(), signal.Signals[signal_name])
    time.sleep(SLEEP_SECS)


def segfault() -> None:
    ctypes.string_at(0)


def exit_at_once(code: int) -> None:
    os._exit(code)


def raise_system_exit(code: int) -> None:
    sys.exit(code)


def return_unpicklable() -> Any:
    return threading.Lock()


def print_megabytes(count: int) -> str:
    line = "x" * 1023 + "\n"
    for _ in range(count * 1024):
        sys.stdout.write(line)
    return "printed"


def write_to(fd: int, text: str) -> None:
    os.write(fd, text.encode())


def close_streams() -> str:
    sys.stdout.close()
    sys.stderr.close()
    return "closed"


def close_fd(fd: int) -> str:
    os.close(fd)
    return "closed"


def close_stderr_and_raise() -> None:
    sys.stderr.close()
    raise ValueError("said in silence")


def change_directory(folder: Path) -> None:
    os.chdir(folder)


def get_directory() -> str:
    return os.getcwd()


def leave_running_thread() -> str:
    threading.Thread(target=time.sleep, args=(SLEEP_SECS,)).start()
    return "left"


def leave_thread_and_return_pid() -> int:
    leave_running_thread()
    return os.getpid()


def read_stdin() -> str:
    return sys.stdin.read()


def get_environment(name: str) -> str | None:
    return os.environ.get(name)


def leave_grandchild() -> int:
    """Start a process that outlives this one, and return its id."""
    return subprocess.Popen(["sleep", str(SLEEP_SECS)]).pid


def fork_then_die(pid_file: Path) -> None:
    """Leave a forked child, which has this process's pipes, and be killed."""
    if (pid := os.fork()) == 0:
        time.sleep(SLEEP_SECS)
        os._exit(0)
    note_in(pid_file, pid)
    kill_this_process()


def note_in(file: Path, pid: int) -> None:
    """Write a process id to a file that is there only once it is whole."""
    aside = file.with_suffix(".tmp")
    aside.write_text(str(pid))
    aside.replace(file)


def sleep_noted(file: Path) -> None:
    note_in(file, os.getpid())
    time.sleep(SLEEP_SECS)


def sleep_deaf(file: Path) -> None:
    """Sleep on whatever Ctrl-C says, but note that it was said."""
    signal.signal(signal.SIGINT, lambda number, frame: file.with_suffix(".deaf").touch())
    sleep_noted(file)


def sleep_until_interrupted(file: Path) -> str:
    """Sleep until Ctrl-C, then clean up and return after all."""
    try:
        sleep_noted(file)
    except KeyboardInterrupt:
        return "cleaned up"
    raise AssertionError("nobody interrupted")


def sleep_deaf_to_sigterm(file: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleep_noted(file)


def sleep_until_terminated(exception: type[BaseException]) -> str:
    """Sleep until SIGTERM raises an exception, and return if it is an OSError."""

    def stop_sleeping(number: int, frame: Any) -> None:
        raise exception

    signal.signal(signal.SIGTERM, stop_sleeping)
    try:
        time.sleep(SLEEP_SECS)
    except OSError:
        return "cleaned up"
    raise AssertionError("nobody terminated")


def sleep_with_grandchild(file: Path) -> None:
    """Sleep beside a process that was started here."""
    note_in(file, leave_grandchild())
    time.sleep(SLEEP_SECS)


def wait_for_end_of(file: Path) -> str:
    """Return once the process noted in a file is gone."""
    wait_until(lambda: not is_alive(int(file.read_text())))
    return "went on"


def multiply_in_tensorflow() -> tuple[float, int]:
    """Return a number of a product of matrices, and how many threads TensorFlow has for it."""
    import tensorflow as tf

    product = tf.linalg.matmul(tf.ones((512, 512)), tf.ones((512, 512)))
    names = [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
    return float(product[0, 0]), names.count("tf_Compute")
