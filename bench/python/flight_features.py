"""The eight numbers of a flight that the batch models take; bench/batch.ts states the same as SQL."""

import numpy as np
import pandas as pd


def features(table: pd.DataFrame) -> np.ndarray:
    """float32 [rows, 8]: distance, hour, minute, ISO weekday, day, month, and the time of day on a circle."""
    date = table["date"].dt
    hour, minute = date.hour.to_numpy(), date.minute.to_numpy()
    angle = (hour * 60 + minute) * (2 * np.pi / 1440)
    columns = [table["distance"].to_numpy(), hour, minute, date.dayofweek.to_numpy() + 1, date.day.to_numpy(), date.month.to_numpy(), np.sin(angle), np.cos(angle)]
    out = np.empty((len(table), len(columns)), dtype=np.float32)
    for i, column in enumerate(columns):
        out[:, i] = column
    return out
