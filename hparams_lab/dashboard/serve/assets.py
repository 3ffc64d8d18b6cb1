"""The files of TensorBoard's page, compressed while it is already listening.

TensorBoard compresses all of them before it listens, which takes longer than all else it
does then. So it is given the page alone, and serves the rest by its own code a moment later.
"""

from __future__ import annotations

import io
import threading
import zipfile
from typing import TYPE_CHECKING, Any

from tensorboard import assets
from tensorboard.plugins import base_plugin
from tensorboard.plugins.core import core_plugin

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_PAGE = "index.html"


class Assets:
    """The files of the page, without the page.

    Args:
        flags: of TensorBoard.
    """

    def __init__(self, flags: Any) -> None:
        self._provide = assets.get_default_assets_zip_provider()
        with self._provide() as file, zipfile.ZipFile(file) as archive:
            self._paths = {f"/{name}" for name in archive.namelist()} - {f"/{_PAGE}"}
        self._apps: dict[str, WSGIApplication] = {}
        self._thread = threading.Thread(target=self._load, args=(flags,), daemon=True)
        self._thread.start()

    def find(self, path: str) -> WSGIApplication | None:
        """Return what serves a path, as soon as it is there; None if that is no such file."""
        if path not in self._paths:
            return None
        self._thread.join()
        return self._apps.get(path)

    def _load(self, flags: Any) -> None:
        context = base_plugin.TBContext(assets_zip_provider=self._provide, flags=flags)
        self._apps = core_plugin.CorePlugin(context).get_resource_apps()


def provide_page() -> io.BytesIO:
    """Return an archive that holds the page alone, as TensorBoard asks for its files."""
    with assets.get_default_assets_zip_provider()() as file, zipfile.ZipFile(file) as archive:
        content = archive.read(_PAGE)
    page = io.BytesIO()
    with zipfile.ZipFile(page, "w") as archive:
        archive.writestr(_PAGE, content)
    page.seek(0)
    return page
