"""Keeping the page in the browser as fresh as the view.

TensorBoard's HParams tab fetches its columns once, when the page is loaded, and its own
automatic reload is off. So a script is put into the page that asks a route of ours what
there is to show: new rows or curves press TensorBoard's reload button, new columns load the
page again. What there is to show is what TensorBoard itself answers, not what lies on the
disk: TensorBoard takes its time to read that.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from hparams_lab.dashboard.serve.assets import Assets
from hparams_lab.dashboard.view.view import View

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


_INDEX_PATHS = ("/", "/index.html")
_SCRIPT_PATH = "/hparams_lab/live.js"
_STATE_PATH = "/hparams_lab/state"

# After a change, TensorBoard has read what lies on the disk long before.
_SETTLING_SECS = 300.0

# Asking TensorBoard takes a tenth of the time at most.
_PAUSE_PER_ANSWER = 10.0

_ALL_STATUSES = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
_ALL_ROWS = {
    "allowedStatuses": _ALL_STATUSES,
    "aggregationType": "AGGREGATION_AVG",
    "sliceSize": 1_000_000,
}


class PageState(NamedTuple):
    """What there is to show, as digests that change when it does."""

    columns: str  # of the table
    content: str  # its rows, and how far the runs' curves go


class Answers:
    """What TensorBoard answers. Thread-safe.

    Args:
        app: TensorBoard.
        view: that it is pointed at.
    """

    def __init__(self, app: WSGIApplication, view: View) -> None:
        self._client = Client(app)
        self._view = view
        self._lock = threading.Lock()
        self._state = PageState("", "")
        self._view_state: int | None = None
        self._changed_at = 0.0
        self._asked_at = 0.0
        self._pause_secs = 0.0

    def read(self) -> PageState:
        """Return the state of a moment ago; where nothing has changed for long, of now."""
        with self._lock:
            now = time.monotonic()
            if self._view.state != self._view_state:
                self._view_state = self._view.state
                self._changed_at = now
            is_settled = self._asked_at > self._changed_at + _SETTLING_SECS
            if not is_settled and now >= self._asked_at + self._pause_secs:
                self._state = PageState(self._digest_columns(), self._digest_content())
                self._asked_at = time.monotonic()
                self._pause_secs = _PAUSE_PER_ANSWER * (self._asked_at - now)
            return self._state

    def _digest_columns(self) -> str:
        experiment = self._ask("experiment", {})
        for key in ("hparamInfos", "metricInfos"):
            experiment[key] = sorted(_to_text(info) for info in experiment.get(key, ()))
        return _digest(experiment)

    def _digest_content(self) -> str:
        groups = self._ask("session_groups", _ALL_ROWS).get("sessionGroups", ())
        return _digest([self._view_state, sorted(_to_text(group) for group in groups)])

    def _ask(self, route: str, question: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(f"/data/plugin/hparams/{route}", json=question)
        return dict(answer.get_json()) if answer.status_code == 200 else {}


class LivePage:
    """TensorBoard with a page that keeps itself fresh: a WSGI application.

    Args:
        app: TensorBoard.
        view: that it is pointed at.
        assets: that its page needs.
    """

    def __init__(self, app: WSGIApplication, view: View, assets: Assets) -> None:
        self._app = app
        self._answers = Answers(app, view)
        self._assets = assets

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer a request."""
        request = Request(environ)
        if request.path == _SCRIPT_PATH:
            response = Response(SCRIPT, mimetype="text/javascript")
        elif request.path == _STATE_PATH:
            state = json.dumps(self._answers.read()._asdict())
            response = Response(state, mimetype="application/json")
        elif request.path in _INDEX_PATHS and request.method == "GET":
            # Before the page asks for anything, so that it misses no change.
            columns = self._answers.read().columns
            response = Response.from_app(self._app, environ, buffered=True)
            tag = f'<script src=".{_SCRIPT_PATH}" data-columns="{columns}"></script></body>'
            response.set_data(response.get_data().replace(b"</body>", tag.encode(), 1))
            return response(environ, start_response)
        else:
            return (self._assets.find(request.path) or self._app)(environ, start_response)
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)


def _to_text(data: Any) -> str:
    """Return JSON that does not depend on the order in which values are listed."""
    if isinstance(data, dict) and isinstance(data.get("domainDiscrete"), list):
        data = {**data, "domainDiscrete": sorted(data["domainDiscrete"], key=str)}
    return json.dumps(data, sort_keys=True)


def _digest(data: Any) -> str:
    return hashlib.sha256(_to_text(data).encode()).hexdigest()[:16]


SCRIPT = """\
// Loaded by TensorBoard's page; see hparams_lab/dashboard/serve/live.py.
{
  const PERIOD_MS = 2000;
  const PAUSE_MS = 5000;
  const {src, dataset} = document.currentScript;
  const stateUrl = new URL("state", src);
  let content = null;  // what the page shows is not known: TensorBoard may still be reading
  let reloadedAt = Date.now();

  // Only the HParams tab keeps the columns that the page was loaded with.
  const showsTable = () => location.hash.startsWith("#hparams");

  const look = async () => {
    if (document.hidden) return;
    let state;
    try {
      state = await (await fetch(stateUrl, {cache: "no-store"})).json();
    } catch {
      return;  // the dashboard has ended
    }
    if (state.columns !== dataset.columns && showsTable()) {
      location.reload();
    } else if (state.content !== content && Date.now() >= reloadedAt + PAUSE_MS) {
      content = state.content;
      reloadedAt = Date.now();
      document.querySelector("app-header-reload button")?.click();
    }
  };

  const follow = async () => {
    await look();
    setTimeout(follow, PERIOD_MS);
  };
  follow();
  addEventListener("hashchange", look);
}
"""
