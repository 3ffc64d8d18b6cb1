"""What the tests of executors have told from other processes."""

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hparams_lab.errors import ExecutorError
from hparams_lab.executors.base import Tell


def tell_pid(tell: Tell) -> Any:
    return tell(os.getpid())


def tell_until_true(tell: Tell) -> str:
    """Tell this process's id again and again until the answer is true."""
    while not tell(os.getpid()):
        pass
    return "answered"


def tell_on_and_on(tell: Tell) -> None:
    """Tell this process's id and its parent's, whatever comes of it, as train might."""
    while True:
        with contextlib.suppress(Exception):
            tell((os.getpid(), os.getppid()))


def tell_in_threads(tell: Tell, count: int) -> list[Any]:
    """Tell from many threads at once and return what each is answered."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(tell, range(count)))


def tell_in_child(tell: Tell) -> str:
    """Tell from a forked child and return what it says of it."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            tell("from a child")
        except ExecutorError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        return stream.read()


def tell_again_after_alarm(tell: Tell) -> str:
    """Let an alarm interrupt a telling, then tell again and return what comes of it."""

    def time_out(number: int, frame: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, time_out)
    try:
        tell(os.getpid())
    except TimeoutError:
        try:
            tell(os.getpid())
        except ExecutorError as error:
            return str(error)
    return "nothing"


def tell_beside_grandchild(tell: Tell) -> Any:
    """Tell while a forked child, which has this process's socket, sleeps."""
    if (pid := os.fork()) == 0:
        time.sleep(60)
        os._exit(0)
    return tell((os.getpid(), pid))
