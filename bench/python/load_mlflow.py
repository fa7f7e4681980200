"""Fills an MLflow database with runs, in bulk and straight into its tables (its REST API would take the better part of an hour).

Usage: load_mlflow.py URI ARTIFACTS RUNS METRICS PARAMS; URI as `--backend-store-uri` takes it, on SQLite or PostgreSQL. The values are those of
bench/lib/search-data.ts, so that both servers hold the same. A server started on the database afterwards finds experiment "bench".
"""

import io
import sys
import time

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

T0 = 1_700_000_000_000
COLUMNS = {
    "runs": "run_uuid name source_type source_name entry_point_name user_id status start_time end_time source_version lifecycle_stage artifact_uri experiment_id",
    "metrics": "key value timestamp step is_nan run_uuid",
    "latest_metrics": "key value timestamp step is_nan run_uuid",
    "params": "key value run_uuid",
    "tags": "key value run_uuid",
}


def value(run: int, key: int) -> float:
    bits = (run * 7919 + key * 104_729 + 13) * 2_654_435_761 & 0xFFFFFFFF
    bits = (bits ^ bits >> 15) * 2_246_822_519 & 0xFFFFFFFF
    return (bits ^ bits >> 13) / 2**32


def rows(some: range, metrics: int, params: int, experiment: int) -> dict[str, list[tuple]]:
    ids = [(i, f"{i:032x}") for i in some]
    points = [(f"m{k:02d}", value(i, k), T0 + i * 1000, 0, False, run) for i, run in ids for k in range(metrics)]
    return {
        "runs": [
            (run, f"run-{i}", "LOCAL", "", "", "bench", "FINISHED", T0 + i * 1000, T0 + i * 1000 + 500, "", "active", f"mlflow-artifacts:/{experiment}/{run}/artifacts", experiment)
            for i, run in ids
        ],
        "metrics": points,
        "latest_metrics": points,
        "params": [(f"p{k:02d}", f"v{int(value(i, 100 + k) * 10)}", run) for i, run in ids for k in range(params)],
        "tags": [("mlflow.runName", f"run-{i}", run) for i, run in ids],
    }


def write(cursor, dialect: str, table: str, values: list[tuple]) -> None:
    columns = COLUMNS[table].split()
    names = ", ".join(f'"{name}"' for name in columns)
    if dialect == "postgresql":
        text = io.StringIO("".join("\t".join(map(str, row)) + "\n" for row in values))
        cursor.copy_expert(f"copy {table} ({names}) from stdin", text)
    else:
        cursor.executemany(f"insert into {table} ({names}) values ({', '.join('?' * len(columns))})", values)


def main(uri: str, artifacts: str, runs: int, metrics: int, params: int) -> None:
    store = SqlAlchemyStore(uri, artifacts)
    experiment = int(store.create_experiment("bench"))
    connection = store.engine.raw_connection()
    cursor = connection.cursor()
    for first in range(0, runs, 1000):
        for table, values in rows(range(first, min(first + 1000, runs)), metrics, params, experiment).items():
            write(cursor, store.engine.dialect.name, table, values)
    connection.commit()
    connection.close()


if __name__ == "__main__":
    begun = time.perf_counter()
    main(sys.argv[1], sys.argv[2], *(int(text) for text in sys.argv[3:6]))
    print(f"{time.perf_counter() - begun:.1f}")
