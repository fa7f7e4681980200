"""The three models: a linear one, a boosted one, and one trained on labels that belong to other rows.

Each ``train_*`` returns a ``Trained``: the fitted pipeline, its params, and the learning curve.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from flights import AIRPORTS, FEATURES, NUMERIC, TARGET

SEED = 2001
#: Rows of the training set on which the train_* curves are computed; validation is used whole.
CURVE_ROWS = 100_000


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline; ``curve`` holds (step, metrics) in order, the last step is the finished model."""

    pipeline: Pipeline
    params: dict[str, object]
    curve: list[tuple[int, dict[str, float]]]


def point(train_y: np.ndarray, train_p: np.ndarray, val_y: np.ndarray, val_p: np.ndarray) -> dict[str, float]:
    return {
        "train_logloss": float(log_loss(train_y, train_p)),
        "train_auc": float(roc_auc_score(train_y, train_p)),
        "val_logloss": float(log_loss(val_y, val_p)),
        "val_auc": float(roc_auc_score(val_y, val_p)),
    }


def train_linear(train: pd.DataFrame, val: pd.DataFrame) -> Trained:
    """Logistic regression over one-hot hour, weekday and airports; an airport it never saw adds nothing."""
    params = {"model": "logistic_regression", "solver": "lbfgs", "C": 1.0, "iterations_per_step": 5, "steps": 12}
    prepare = ColumnTransformer(
        [
            ("calendar", OneHotEncoder(handle_unknown="ignore"), ["dep_hour", "day_of_week"]),
            ("airports", OneHotEncoder(handle_unknown="ignore"), AIRPORTS),
            ("distance", StandardScaler(), ["distance"]),
        ]
    )
    x, x_val = prepare.fit_transform(train[FEATURES]), prepare.transform(val[FEATURES])
    y, y_val = train[TARGET].to_numpy(), val[TARGET].to_numpy()
    some = _some(len(train))
    per_step = params["iterations_per_step"]
    model = LogisticRegression(C=params["C"], solver="lbfgs", max_iter=per_step, warm_start=True, random_state=SEED)
    curve = []
    with warnings.catch_warnings():
        # Each step stops after a few iterations on purpose, to draw the curve.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for step in range(1, params["steps"] + 1):
            model.fit(x, y)
            scores = model.predict_proba(x[some])[:, 1], model.predict_proba(x_val)[:, 1]
            curve.append((step, point(y[some], scores[0], y_val, scores[1])))
    return Trained(Pipeline([("prepare", prepare), ("model", model)]), params, curve)


def train_boosted(train: pd.DataFrame, val: pd.DataFrame) -> Trained:
    """Gradient boosting over target-encoded airports; an airport it never saw gets the training mean."""
    return _boost(train, val, iterations=120, learning_rate=0.15, leaves=31)


def train_bad(train: pd.DataFrame, val: pd.DataFrame) -> Trained:
    """The same, on labels in the wrong order, as a join on the wrong key leaves them: it learns noise."""
    wrong = np.random.default_rng(SEED).permutation(train[TARGET].to_numpy())
    trained = _boost(train.assign(**{TARGET: wrong}), val, iterations=20, learning_rate=0.15, leaves=31)
    return Trained(trained.pipeline, {**trained.params, "labels": "shuffled"}, trained.curve)


TRAINERS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Trained]] = {
    "linear": train_linear,
    "boosted": train_boosted,
    "bad": train_bad,
}


def _boost(train: pd.DataFrame, val: pd.DataFrame, iterations: int, learning_rate: float, leaves: int) -> Trained:
    params = {
        "model": "hist_gradient_boosting",
        "max_iter": iterations,
        "learning_rate": learning_rate,
        "max_leaf_nodes": leaves,
        "min_samples_leaf": 200,
        "airport_encoding": "target, cross-fitted",
    }
    prepare = ColumnTransformer(
        [
            ("numbers", "passthrough", NUMERIC),
            *((name, TargetEncoder(target_type="binary", random_state=SEED), [name]) for name in AIRPORTS),
        ]
    )
    y, y_val = train[TARGET].to_numpy(), val[TARGET].to_numpy()
    with warnings.catch_warnings():
        # scikit-learn 1.9 wants a splitter in place of random_state; older ones know only random_state.
        warnings.simplefilter("ignore", FutureWarning)
        x = prepare.fit_transform(train[FEATURES], y)
    model = HistGradientBoostingClassifier(
        max_iter=iterations,
        learning_rate=learning_rate,
        max_leaf_nodes=leaves,
        min_samples_leaf=params["min_samples_leaf"],
        early_stopping=False,
        random_state=SEED,
    ).fit(x, y)
    some = _some(len(train))
    on_train = _staged(model, prepare.transform(train[FEATURES].iloc[some]))
    on_val = _staged(model, prepare.transform(val[FEATURES]))
    curve = [(step, point(y[some], a, y_val, b)) for step, (a, b) in enumerate(zip(on_train, on_val), start=1)]
    return Trained(Pipeline([("prepare", prepare), ("model", model)]), params, curve)


def _staged(model: HistGradientBoostingClassifier, x: np.ndarray) -> Iterator[np.ndarray]:
    return (p[:, 1] for p in model.staged_predict_proba(x))


def _some(rows: int) -> np.ndarray:
    return np.sort(np.random.default_rng(SEED).choice(rows, size=min(CURVE_ROWS, rows), replace=False))
