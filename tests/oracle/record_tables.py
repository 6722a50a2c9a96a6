"""Small tables and arrays as pandas, pyarrow and numpy write them, and what those read of them.

pip install pandas pyarrow numpy; python3 tests/oracle/record_tables.py, in the root of the repository.
"""
import base64, datetime as dt, decimal, io, json
import numpy as np, pandas as pd, pyarrow as pa, pyarrow.feather as feather, pyarrow.parquet as pq

D = decimal.Decimal
utc = dt.timezone.utc
types = pa.table({
    "f64": pa.array([1.5, None, -1e300]),
    "f32": pa.array([0.5, None, float("nan")], pa.float32()),
    "f16": pa.array(np.array([1, 2, 0.5], np.float16)),
    "i8": pa.array([-128, None, 127], pa.int8()),
    "u8": pa.array([0, None, 255], pa.uint8()),
    "i16": pa.array([-32768, None, 32767], pa.int16()),
    "u16": pa.array([0, None, 65535], pa.uint16()),
    "i32": pa.array([-2147483648, None, 2147483647], pa.int32()),
    "u32": pa.array([1, None, 4294967295], pa.uint32()),
    "i64": pa.array([-3, None, 9007199254740991], pa.int64()),
    "big": pa.array([1, None, 9007199254740993], pa.int64()),
    "u64": pa.array([1, None, 18446744073709551615], pa.uint64()),
    "flag": pa.array([True, None, False]),
    "text": pa.array(["a", None, "ü"]),
    "large": pa.array(["", None, "two\nlines"], pa.large_string()),
    "words": pa.array(["x", None, "x"]).dictionary_encode(),
    "day": pa.array([dt.date(2024, 2, 29), None, dt.date(1969, 12, 31)]),
    "micro": pa.array([dt.datetime(2024, 2, 29, 12, 0, 0, 5), None, dt.datetime(1969, 12, 31, 23, 59, 59)], pa.timestamp("us")),
    "nano": pa.array([1709208000000000001, None, -1], pa.timestamp("ns", tz="UTC")),
    "milli": pa.array([0, None, 86399999], pa.timestamp("ms")),
    "clock": pa.array([dt.time(1, 2, 3, 4), None, dt.time(23, 0)], pa.time64("us")),
    "d9": pa.array([D("0.30"), None, D("-1234567.89")], pa.decimal128(9, 2)),
    "d38": pa.array([D("0.30"), None, D("-12345678901234567.89")], pa.decimal128(38, 2)),
    "id20": pa.array([D(7), None, D("12345678901234567890")], pa.decimal128(20, 0)),
    "nothing": pa.nulls(3),
})


def cell(value, column):
    """A cell as Anneal reads it."""
    if value is None or isinstance(value, float) and value != value:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if column == "nano":
        return {1709208000000000001: "2024-02-29T12:00:00.000000001Z", -1: "1969-12-31T23:59:59.999999999Z"}[value.value]
    if isinstance(value, (dt.datetime, dt.time)):
        text = value.isoformat()
        return text.rstrip("0") if "." in text else text
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, D):
        return str(value) if column == "id20" else float(value)
    if column in ("big", "u64"):
        return str(value)
    return value


def packed(write):
    buffer = io.BytesIO()
    write(buffer)
    return base64.b64encode(buffer.getvalue()).decode()


def stream(buffer):
    with pa.ipc.new_stream(buffer, types.schema) as out:
        out.write_table(types, max_chunksize=2)


parquet = lambda **more: packed(lambda b: pq.write_table(types, b, **more))
files = {
    "snappy.parquet": parquet(),
    "zstd.parquet": parquet(compression="zstd", row_group_size=2),
    "gzip.parquet": parquet(compression="gzip", use_dictionary=False),
    "brotli.parquet": parquet(compression="brotli", data_page_version="2.0"),
    "lz4.parquet": parquet(compression="lz4", write_page_index=True),
    "plain.parquet": parquet(compression="none", data_page_version="2.0", use_dictionary=False),
    "integers.parquet": packed(lambda b: pq.write_table(types.select(["d9", "id20"]), b, store_decimal_as_integer=True)),
    "int96.parquet": packed(lambda b: pq.write_table(types.select(["micro"]), b, use_deprecated_int96_timestamps=True)),
    "lz4.feather": packed(lambda b: feather.write_feather(types, b, compression="lz4")),
    "zstd.feather": packed(lambda b: feather.write_feather(types, b, compression="zstd")),
    "plain.feather": packed(lambda b: feather.write_feather(types, b, compression="uncompressed")),
    "stream.arrows": packed(stream),
}
nested = pa.table({"a": [1, 2], "tags": [["x"], []], "at": [{"x": 1}, {"x": 2}], "raw": [b"\xff", b"a"]})
files["nested.parquet"] = packed(lambda b: pq.write_table(nested, b))
files["nested.feather"] = packed(lambda b: feather.write_feather(nested, b))
files["empty.parquet"] = packed(lambda b: pq.write_table(types.slice(0, 0), b))
files["empty.feather"] = packed(lambda b: feather.write_feather(types.slice(0, 0), b))

# one table of pandas, as each of its writers has it
rng = np.random.default_rng(1)
n = 120
people = pd.DataFrame({
    "size": rng.normal(10, 3, n).round(3),
    "rooms": rng.integers(1, 6, n),
    "town": np.array(["Jena", "Ulm", "Köln"])[rng.integers(0, 3, n)],
    "new": rng.integers(0, 2, n).astype(bool),
    "held": rng.integers(0, 2, n),
})
people["price"] = (people["size"] * 3 + people["rooms"]).round(2)
people.loc[[3, 40], "size"] = None
people.loc[[5], "town"] = None
people.index = people.index + 7  # which Parquet and Feather keep as a column without a name
tables = {
    "people.csv": base64.b64encode(people.to_csv(index=False).encode()).decode(),
    "people.csv.gz": packed(lambda b: people.to_csv(b, index=False, compression={"method": "gzip", "mtime": 1})),
    "people.jsonl": base64.b64encode(people.to_json(orient="records", lines=True).encode()).decode(),
    "people.parquet": packed(lambda b: people.to_parquet(b, index=True)),
    "people.feather": packed(lambda b: people.reset_index(drop=True).to_feather(b)),
}

arrays = {
    "f8": np.array([[1.5, -2, np.inf], [0.1, np.nan, 3]]),
    "f4 fortran": np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3)),
    "f4 big": np.arange(4, dtype=">f4"),
    "f2": np.array([1, 0.5, 65504], "f2"),
    "i8": np.array([1, -2, 2**31 - 1]),
    "i4": np.arange(24, dtype="i4").reshape(2, 3, 4),
    "u1": np.arange(5, dtype="u1"),
    "bool": np.array([True, False]),
    "one": np.array(7.0),
    "none": np.zeros((0, 3), "f4"),
    "too large": np.array([2**40]),
    "complex": np.array([1j]),
    "object": np.array([{}], dtype=object),
    "struct": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "text": np.array(["a"]),
}
npy = {name: packed(lambda b: np.save(b, a, allow_pickle=True)) for name, a in arrays.items()}
few = {"x": np.arange(6, dtype="f4").reshape(2, 3), "y": np.array([0, 1])}
npz = {"stored": packed(lambda b: np.savez(b, **few)), "deflated": packed(lambda b: np.savez_compressed(b, **few))}

json.dump({
    "made_by": f"pandas {pd.__version__}, pyarrow {pa.__version__}, numpy {np.__version__}",
    "expected": {c: [cell(v, c) for v in types[c].to_pylist()] for c in types.column_names},
    "files": files,
    "tables": tables,
    "npy": npy,
    "npz": npz,
}, open("tests/golden/tables.json", "w"), ensure_ascii=False)
