"""Links into TensorBoard's Time Series tab: runs coloured by what they have in common.

Source: tensorboard/webapp/routes/dashboard_deeplink_provider.ts.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from hparams_lab.dashboard.view.finder import ShownRun
from hparams_lab.dashboard.view.names import label_pattern, list_label_axes
from hparams_lab.declare import tags
from hparams_lab.events.read.reader import RunRecord, read_run

# Names of runs begin with the sweep's id, behind that of the experiment if there are several.
_DAY_PATTERN = r"(\d{4}-\d\d-\d\d)_\d\d-\d\d-\d\d(?:-[0-9a-f]{4})?/"

# More cards than these leave no room for others.
_MAX_PINNED = 4

# The newest runs may have nothing to show yet.
_MAX_RUNS_READ = 20


def make_links(url: str, runs: Sequence[ShownRun]) -> dict[str, str]:
    """Return links into Time Series by what they colour runs by.

    Args:
        url: of TensorBoard, with a slash at its end.
        runs: that it shows, by experiment and oldest first.
    """
    if not runs:
        return {}
    homes = {run.home: run.sweep.id for run in runs}
    newest_first = sorted(homes, key=lambda home: homes[home], reverse=True)
    curves = (find_curve([run for run in runs if run.home == home]) for home in newest_first)
    pinned = [tag for tag in dict.fromkeys(curves) if tag][:_MAX_PINNED]
    links = {"Time Series by day": _link(url, _DAY_PATTERN, pinned)}
    if axis := _choose_axis(runs):
        links[f"Time Series by {axis}"] = _link(url, label_pattern(axis), pinned)
    return links


def find_curve(runs: Sequence[ShownRun]) -> str:
    """Return the tag with a curve that is nearest to the objective; empty if none has one.

    Args:
        runs: of one experiment, oldest first.
    """
    metric = runs[-1].sweep.objective.metric
    points: dict[str, int] = {}
    for run in itertools.islice(reversed(runs), _MAX_RUNS_READ):
        record = read_run(run.dir, run.sweep.space)
        points = _count_points(record) if record is not None else {}
        if max(points.values(), default=0) > 1:
            break
    curves = [tag for tag, count in points.items() if count > 1]
    likely = [metric, tags.reported(metric), f"validation/{metric}"]
    likely += [tag for tag in curves if tag.endswith(metric)]
    return next((tag for tag in [*likely, *curves] if tag in curves), next(iter(points), ""))


def _count_points(record: RunRecord) -> dict[str, int]:
    return {tag: num_points for tag, (num_points, *_) in record.metrics.items()}


def _choose_axis(runs: Sequence[ShownRun]) -> str | None:
    """Return the first axis in the names of runs: of texts, else of bools, else of numbers."""
    homes = dict.fromkeys(run.home for run in reversed(runs))
    axes: dict[str, type] = {}
    for home in homes:
        sweeps = {run.dir.sweep_id: run.sweep for run in runs if run.home == home}
        axes = {**list_label_axes([*sweeps.values()]), **axes}
    rank = {str: 0, bool: 1}
    return min(axes, key=lambda name: rank.get(axes[name], 2), default=None)


def _link(url: str, pattern: str, pinned: Sequence[str]) -> str:
    cards = [{"plugin": "scalars", "tag": tag} for tag in pinned]
    query = {"runColorGroup": f"regex:{pattern}"}
    if cards:
        query["pinnedCards"] = json.dumps(cards, separators=(",", ":"))
    return f"{url}?{urlencode(query, quote_via=quote)}#timeseries"
