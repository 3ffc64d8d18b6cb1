"""What the tests of executors have told from other processes."""

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hparams_lab.errors import ExecutorError
from hparams_lab.executors.base import Ask


def tell_pid(ask: Ask) -> Any:
    return ask(os.getpid())


def tell_until_true(ask: Ask) -> str:
    """Ask this process's id again and again until the answer is true."""
    while not ask(os.getpid()):
        pass
    return "answered"


def tell_on_and_on(ask: Ask) -> None:
    """Ask this process's id and its parent's, whatever comes of it, as train might."""
    while True:
        with contextlib.suppress(Exception):
            ask((os.getpid(), os.getppid()))


def tell_in_threads(ask: Ask, count: int) -> list[Any]:
    """Ask from many threads at once and return what each is answered."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


def tell_in_child(ask: Ask) -> str:
    """Ask from a forked child and return what it says of it."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            ask("from a child")
        except ExecutorError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        return stream.read()


def tell_again_after_alarm(ask: Ask) -> str:
    """Let an alarm interrupt a asking, then tell again and return what comes of it."""

    def time_out(number: int, frame: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, time_out)
    try:
        ask(os.getpid())
    except TimeoutError:
        try:
            ask(os.getpid())
        except ExecutorError as error:
            return str(error)
    return "nothing"


def tell_beside_grandchild(ask: Ask) -> Any:
    """Ask while a forked child, which has this process's socket, sleeps."""
    if (pid := os.fork()) == 0:
        time.sleep(60)
        os._exit(0)
    return ask((os.getpid(), pid))
