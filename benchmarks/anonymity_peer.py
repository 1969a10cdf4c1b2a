"""Runs pycanon on a Parquet file, in the interpreter that has it, and prints figures and processor time as JSON."""

import json
import sys
import time

import pandas as pd
from pycanon import anonymity


def main() -> None:
    path, quasi, sensitive = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
    table = pd.read_parquet(path)
    began = time.process_time()
    found = {
        "k": int(anonymity.k_anonymity(table, quasi)),
        "l": int(anonymity.l_diversity(table, quasi, sensitive)),
        "t": float(anonymity.t_closeness(table, quasi, sensitive)),
    }
    print(json.dumps({**found, "seconds": time.process_time() - began}))


if __name__ == "__main__":
    main()
