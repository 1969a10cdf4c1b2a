"""Whole tables: the kernels on Arrow record batches, for Arrow, pandas and DuckDB in one process, for Spark on many.

>>> import pyarrow as pa
>>> from kuimen.entrypoints.bulk import redact_table
>>> redact_table(pa.table({"note": ["联系邮箱a.b@example.com"]})).to_pydict()
{'note': ['联系邮箱<email>']}
"""

from kuimen.entrypoints.bulk.batches import FINDINGS, classify_table, detect_table, mask_table, redact_table
from kuimen.entrypoints.bulk.frames import classify_frame, detect_frame, mask_frame, redact_frame

__all__ = [
    "FINDINGS",
    "classify_frame",
    "classify_table",
    "detect_frame",
    "detect_table",
    "mask_frame",
    "mask_table",
    "redact_frame",
    "redact_table",
]
