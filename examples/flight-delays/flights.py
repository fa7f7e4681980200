"""The data: 3,000,000 US flights of January to June 2001, and how features and label come out of them.

The file has five columns: ``date`` (timestamp without a zone, the *actual* departure in the origin's local
time), ``delay`` (arrival delay in minutes, negative = early), ``distance`` (miles), ``origin`` and
``destination`` (IATA codes). The README repeats every expression here as SQL.
"""

from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path("node_modules/vega-datasets/data/flights-3m.parquet")
#: What a run records as the dataset's source: relative, so the same on every machine.
SOURCE = DATA.as_posix()

LATE_MINUTES = 15
TRAIN_FROM = pd.Timestamp("2001-01-01")
#: Validation comes after training in time, as the months that the model will be used on do.
VALIDATION_FROM = pd.Timestamp("2001-03-11")
VALIDATION_TO = pd.Timestamp("2001-04-01")

NUMERIC = ["dep_hour", "day_of_week", "distance"]
AIRPORTS = ["origin", "destination"]
FEATURES = NUMERIC + AIRPORTS
TARGET = "target"

COLUMNS = ["date", "delay", "distance", "origin", "destination"]


def read(path: Path) -> pd.DataFrame:
    """Every flight of the file with its features (``FEATURES``), ``target`` (int64 0 or 1) and ``date``.

    Raises SystemExit that says what to do, for a missing file or one with other columns.
    """
    if not path.is_file():
        raise SystemExit(f"{path} is not there: run `npm install` in the repository's root, or pass --data FILE")
    raw = pd.read_parquet(path)
    missing = [name for name in COLUMNS if name not in raw.columns]
    if missing:
        raise SystemExit(f"{path} lacks the columns {missing}; it must be flights-3m.parquet of vega-datasets")
    if raw[COLUMNS].isna().any().any():
        raise SystemExit(f"{path} has empty values; flights-3m.parquet of vega-datasets has none")
    return features(raw)


def features(raw: pd.DataFrame) -> pd.DataFrame:
    """Derives the model's columns; nothing here looks at ``delay`` but the label."""
    date = raw["date"]
    return pd.DataFrame(
        {
            "date": date,
            "dep_hour": date.dt.hour.astype("int64"),
            "day_of_week": (date.dt.weekday + 1).astype("int64"),
            "distance": raw["distance"].astype("float64"),
            "origin": raw["origin"].astype(object),
            "destination": raw["destination"].astype(object),
            TARGET: (raw["delay"] >= LATE_MINUTES).astype("int64"),
        }
    )


def between(flights: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Flights that departed in [start, end)."""
    return flights[(flights["date"] >= start) & (flights["date"] < end)].drop(columns="date").reset_index(drop=True)


def split(flights: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(training, validation): 1 January to 10 March, and 11 to 31 March 2001."""
    return between(flights, TRAIN_FROM, VALIDATION_FROM), between(flights, VALIDATION_FROM, VALIDATION_TO)


def feed(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """ONNX inputs for these rows: one [N, 1] tensor a column, int64, float32 or string."""
    types = {"dep_hour": np.int64, "day_of_week": np.int64, "distance": np.float32}
    return {name: rows[name].to_numpy(dtype=types.get(name, object)).reshape(-1, 1) for name in FEATURES}
