"""How often `compare` says better or worse, where nothing was changed and where something was.

Simulated pairs of days, ten matched trials each, through the public path from records to
verdict: python -m benchmarks.calibration [NUM_PAIRS]

Rates are given with their standard errors. The effect is one standard deviation: of the
noise of a single run, or of the difference of two runs, which is the square root of two
times as much.
"""

from __future__ import annotations

import math
import sys

from tests.support.calibration import Design, draw_skewed, error_of, measure_rate

NUM_PAIRS = 2_000

DESIGNS = {
    "single runs": Design(),
    "single runs, skewed noise": Design(noise=draw_skewed),
    "single runs, noise 1 to 10": Design(spread=10.0),
    "single runs, one hold-out": Design(seeds=((0,), (0,)), splits=True),
    "2 repeats": Design(repeats=(2, 2)),
    "3 repeats": Design(repeats=(3, 3)),
    "1 repeat against 3": Design(repeats=(1, 3)),
    "1 against 3, skewed noise": Design(repeats=(1, 3), noise=draw_skewed),
    "5 folds": Design(folds=5, seeds=((0,), (0,))),
    "5 folds, 2 repeats": Design(folds=5, seeds=((0,), (0,)), repeats=(2, 2)),
    "5 folds, other seeds": Design(folds=5),
    "other hold-outs, 1 a side": Design(splits=True),
    "other hold-outs, 3 a side": Design(splits=True, seeds=((0, 1, 2), (3, 4, 5))),
    "other hold-outs, 1 against 5": Design(splits=True, seeds=((0,), (1, 2, 3, 4, 5))),
}


def main() -> None:
    """Print one line a design."""
    num_pairs = int(sys.argv[1]) if len(sys.argv) > 1 else NUM_PAIRS
    effects = {"none": 0.0, "1 sd of a run": 1.0, "1 sd of a difference": math.sqrt(2)}
    print(f"{'better or worse in, %':30}" + "".join(f"{name:>22}" for name in effects))
    for name, design in DESIGNS.items():
        rates = [measure_rate(design, effect, num_pairs=num_pairs) for effect in effects.values()]
        told = [f"{100 * rate:.1f} ± {100 * error_of(rate, num_pairs):.1f}" for rate in rates]
        print(f"{name:30}" + "".join(f"{text:>22}" for text in told), flush=True)


if __name__ == "__main__":
    main()
