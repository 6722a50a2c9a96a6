"""Records what fastai makes of a table's columns into tests/golden/tabular.json: add_datepart, and procs.

    pip install fastai pandas
    python3 tests/oracle/record_tabular.py
"""
import json, math

import numpy as np, pandas as pd
from fastai.tabular.all import Categorify, FillMissing, FillStrategy, Normalize, TabularPandas, add_datepart

from recorder import GOLDEN

DATES = ["2024-02-29", "2024-12-31", "2021-01-01", "2021-01-03", "2020-12-28", None, "1969-12-31", "2023-03-31",
         "2023-04-01", "2000-06-30", "1900-03-01", "2026-10-01"]
TIMES = ["2024-02-29 23:59:58", "2024-03-01T00:00:00", None, "1969-12-31 12:34:56"]


def plain(v):
    if v is None or v is pd.NaT or isinstance(v, float) and math.isnan(v) or v is pd.NA:
        return None
    return bool(v) if isinstance(v, (bool, np.bool_)) else int(v)


def parts(texts, field, **options):
    # nanoseconds, whatever unit pandas reads into: add_datepart counts in them
    df = pd.DataFrame({field: pd.to_datetime(pd.Series(texts), format="ISO8601").astype("datetime64[ns]"), "x": range(len(texts))})
    out = add_datepart(df, field, **options)
    return {"field": field, "texts": texts, "columns": {c: [plain(v) for v in out[c]] for c in out.columns if c != "x"}}


N = [1.5, None, 3.0, 3.0, -2.0, None, 10.0, 4.0]
M = [2.0, 4.0, 8.0, 1.0, 0.5, 3.0, 7.0, None]
W = ["b", "a", None, "b", "c", "a", "b", "a"]  # those of validation are in training: fastai numbers others, too
TRAIN, VALID = [0, 1, 2, 3, 4, 5], [6, 7]


def procs(name, procs, cont, cat):
    df = pd.DataFrame({"n": N, "m": M, "w": W, "y": range(8)}).astype({"n": "float64", "m": "float64"})
    to = TabularPandas(df, procs, cat, cont, "y", splits=(TRAIN, VALID))
    rows = to.items.sort_index()
    return {
        "name": name,
        "conts": {c: [None if math.isnan(v) else float(v) for v in rows[c]] for c in to.cont_names},
        "cats": {c: [int(v) for v in rows[c]] for c in to.cat_names},
    }


golden = {
    "dates": [parts(DATES, "saleDate"), parts(DATES, "day", prefix="at_"), parts(TIMES, "date", time=True)],
    "rows": {"n": N, "m": M, "w": W, "train": TRAIN, "valid": VALID},
    "procs": [
        procs("all", [Categorify, FillMissing, Normalize], ["n"], ["w"]),
        procs("no normalize", [Categorify, FillMissing], ["n"], ["w"]),
        procs("mode", [Categorify, FillMissing(fill_strategy=FillStrategy.mode), Normalize], ["n"], ["w"]),
        procs("constant", [FillMissing(fill_strategy=FillStrategy.constant, add_col=False), Normalize], ["n"], []),
        procs("no fill", [Categorify, Normalize], ["m"], ["w"]),
    ],
}
(GOLDEN / "tabular.json").write_text(json.dumps(golden, indent=1) + "\n")
