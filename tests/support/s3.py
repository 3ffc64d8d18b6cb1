"""A real S3 server that is started, spoken to over HTTP, cut off, and always killed."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.servers import read_url, running

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class S3:
    """A server that listens.

    Attributes:
        endpoint: its URL.
    """

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which programs find it: ours, and TensorBoard."""
        named = {"AWS_ENDPOINT_URL_S3": self.endpoint, "S3_ENDPOINT": self.endpoint}
        return _CREDENTIALS | named

    def make_bucket(self) -> str:
        """Make a bucket of its own for a test and return the URL of a log directory in it."""
        name = f"bucket-{uuid.uuid4().hex}"
        with self._client() as client:
            client.create_bucket(Bucket=name)
        return f"s3://{name}/logs"

    def fill(self, url: str, folder: Path) -> None:
        """Put all files of a folder into a bucket, by their names below the URL."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        with self._client() as client:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    key = f"{prefix}/{file.relative_to(folder).as_posix()}"
                    client.upload_file(str(file), bucket, key)

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        import boto3  # here, as a second to import and of the extra `remote`

        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=_CREDENTIALS["AWS_DEFAULT_REGION"],
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        try:
            yield client
        finally:
            client.close()


@contextlib.contextmanager
def running_s3() -> Iterator[S3]:
    """Start a server on a free port; it is dead afterwards."""
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with running(words) as process:
        server = S3(read_url(process))
        assert process.stdout is not None
        # What it says of each request is to fill no pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield server


class Cable:
    """What goes through it reaches a server, as long as it is not cut.

    Args:
        endpoint: of the server.

    Attributes:
        endpoint: to be used instead.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = self._listener.getsockname()
        self.endpoint = f"http://127.0.0.1:{self._address[1]}"
        self._accept()

    def cut(self) -> None:
        """Refuse connections, and break those that there are."""
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def mend(self) -> None:
        """Let connections through again."""
        self._listener = socket.create_server(self._address)
        self._accept()

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(2**16):
            target.sendall(chunk)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
