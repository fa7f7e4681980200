"""Shows what monitoring should find: weekly drift against the training sample, clean and with one simulated fault.

    python examples/flight-delays/drift.py

The fault: for one week the distances come in kilometres. Per week it prints the Jensen-Shannon distance (base 2),
Kolmogorov-Smirnov and normed Wasserstein (W1 / sigma of the reference) of ``distance``, the Jensen-Shannon distance
of the airports, and the live quality of the boosted model. With --rows N every week is a sample of N flights.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from scipy.stats import ks_2samp, wasserstein_distance
from sklearn.metrics import brier_score_loss, roc_auc_score

import export
import flights

RECORDED = Path("examples/flight-delays/recorded/boosted")
KM_PER_MILE = 1.609344
BINS = 64
#: Printed figures and their widths, in the order of ``_print``.
COLUMNS = {
    "dist JS": 9, "KS": 8, "W1n": 8, "orig JS": 9, "dest JS": 9, "score JS": 10, "AUC": 8, "Brier": 8, "late": 7,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=flights.DATA)
    parser.add_argument("--rows", type=int, default=0, help="flights a week (default: all)")
    parser.add_argument("--fault-week", type=pd.Timestamp, default=pd.Timestamp("2001-06-11"), help="a Monday")
    args = parser.parse_args()
    reference = pd.read_parquet(RECORDED / "artifacts" / "binnacle" / "training.parquet")
    scorer = export.Scorer(onnx.load(RECORDED / "model" / "model.onnx"))
    data = flights.read(args.data)
    print(f"{'week from':<12}{'rows':>8}" + "".join(f"{name:>{width}}" for name, width in COLUMNS.items()))
    for monday in pd.date_range("2001-04-02", "2001-06-18", freq="7D"):
        week = flights.between(data, monday, monday + pd.Timedelta(days=7))
        if args.rows:
            week = week.sample(min(args.rows, len(week)), random_state=3)
        _print(monday.date().isoformat(), reference, week, scorer)
        if monday == args.fault_week:
            _print("  in km", reference, week.assign(distance=week["distance"] * KM_PER_MILE), scorer)
    for name, start, end in (("April", "2001-04-01", "2001-05-01"), ("May-June", "2001-05-01", "2001-07-01")):
        _print(name, reference, flights.between(data, pd.Timestamp(start), pd.Timestamp(end)), scorer)
    return 0


def _print(name: str, reference: pd.DataFrame, rows: pd.DataFrame, scorer: export.Scorer) -> None:
    late = scorer.late(rows)
    ref, cur = reference["distance"].to_numpy(), rows["distance"].to_numpy()
    figures = [
        _js_numbers(ref, cur),
        ks_2samp(ref, cur).statistic,
        wasserstein_distance(ref, cur) / max(ref.std(), 0.001),
        _js_categories(reference["origin"], rows["origin"]),
        _js_categories(reference["destination"], rows["destination"]),
        _js_numbers(reference["score"].to_numpy(), late),
        roc_auc_score(rows[flights.TARGET], late),
        brier_score_loss(rows[flights.TARGET], late),
        rows[flights.TARGET].mean(),
    ]
    print(f"{name:<12}{len(rows):>8}" + "".join(f"{v:>{width}.3f}" for v, width in zip(figures, COLUMNS.values())))


def _js_numbers(reference: np.ndarray, current: np.ndarray) -> float:
    """On up to 64 bins between the reference's quantiles, with one below and one above."""
    inner = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)))
    edges = np.concatenate([[-np.inf], inner[:-1], [np.nextafter(inner[-1], np.inf), np.inf]])
    return _js(np.histogram(reference, edges)[0], np.histogram(current, edges)[0])


def _js_categories(reference: pd.Series, current: pd.Series) -> float:
    names = sorted(set(reference) | set(current))
    return _js(*(series.value_counts().reindex(names, fill_value=0).to_numpy() for series in (reference, current)))


def _js(reference: np.ndarray, current: np.ndarray) -> float:
    """Jensen-Shannon distance, base 2, of two counts over the same bins."""
    p, q = reference / reference.sum(), current / current.sum()
    m = (p + q) / 2
    divergence = sum(0.5 * np.sum(a[a > 0] * np.log2(a[a > 0] / m[a > 0])) for a in (p, q))
    return float(np.sqrt(max(divergence, 0.0)))


if __name__ == "__main__":
    sys.exit(main())
