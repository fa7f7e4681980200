"""Fills an MLflow SQLite database with runs through MLflow's own table models, in bulk (its REST API would take the better part of an hour).

Usage: load_mlflow.py DATABASE RUNS METRICS PARAMS. The values are those of bench/lib/search-data.ts, so that both servers hold the same.
A server started on the database afterwards finds experiment "bench".
"""

import sys
import time

from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import insert

T0 = 1_700_000_000_000


def value(run: int, key: int) -> float:
    bits = (run * 7919 + key * 104_729 + 13) * 2_654_435_761 & 0xFFFFFFFF
    bits = (bits ^ bits >> 15) * 2_246_822_519 & 0xFFFFFFFF
    return (bits ^ bits >> 13) / 2**32


def main(database: str, runs: int, metrics: int, params: int) -> None:
    store = SqlAlchemyStore(f"sqlite:///{database}", f"{database}.artifacts")
    experiment = int(store.create_experiment("bench"))
    with store.engine.begin() as connection:
        for first in range(0, runs, 1000):
            some = range(first, min(first + 1000, runs))
            ids = {i: f"{i:032x}" for i in some}
            connection.execute(
                insert(SqlRun),
                [
                    {
                        "run_uuid": ids[i], "name": f"run-{i}", "source_type": "LOCAL", "source_name": "", "entry_point_name": "", "user_id": "bench", "status": "FINISHED",
                        "start_time": T0 + i * 1000, "end_time": T0 + i * 1000 + 500, "source_version": "", "lifecycle_stage": "active", "artifact_uri": f"mlflow-artifacts:/{experiment}/{ids[i]}/artifacts",
                        "experiment_id": experiment,
                    }
                    for i in some
                ],
            )  # fmt: skip
            points = [
                {"key": f"m{k:02d}", "value": value(i, k), "timestamp": T0 + i * 1000, "step": 0, "is_nan": False, "run_uuid": ids[i]}
                for i in some
                for k in range(metrics)
            ]
            connection.execute(insert(SqlMetric), points)
            connection.execute(insert(SqlLatestMetric), points)
            connection.execute(insert(SqlParam), [{"key": f"p{k:02d}", "value": f"v{int(value(i, 100 + k) * 10)}", "run_uuid": ids[i]} for i in some for k in range(params)])
            connection.execute(insert(SqlTag), [{"key": "mlflow.runName", "value": f"run-{i}", "run_uuid": ids[i]} for i in some])


if __name__ == "__main__":
    begun = time.perf_counter()
    main(sys.argv[1], *(int(text) for text in sys.argv[2:5]))
    print(f"{time.perf_counter() - begun:.1f}")
