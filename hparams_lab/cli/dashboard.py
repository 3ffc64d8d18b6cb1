"""`hparams_lab dashboard`: TensorBoard on an experiment."""

from __future__ import annotations

import contextlib
import threading

from absl import flags

from hparams_lab.cli.command import Command, define_logdir, logdir_of
from hparams_lab.cli.find import find_logged
from hparams_lab.cli.tables import make_console


def _define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    flags.DEFINE_integer(
        "port", None, "to listen on; by default the first free one from 6006", flag_values=values
    )
    flags.DEFINE_string(
        "host", "127.0.0.1", "to listen on; 0.0.0.0 for the whole network", flag_values=values
    )


def _run(values: flags.FlagValues, words: list[str]) -> int:
    # TensorBoard's web server takes a while to import; other commands do without.
    from hparams_lab.dashboard.server import serve

    experiment = find_logged(logdir_of(values), words[0])
    url = serve(experiment.path, host=values.host, port=values.port)
    with contextlib.suppress(KeyboardInterrupt):
        make_console().print(f"{experiment.name}: {url}\nCtrl-C ends it.")
        threading.Event().wait()
    return 0


COMMAND = Command(
    name="dashboard",
    arguments="NAME",
    summary="TensorBoard's HParams dashboard of an experiment",
    define_flags=_define_flags,
    run=_run,
)
