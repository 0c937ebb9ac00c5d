"""dlt's own way from JSON lines to Parquet: `python dlt_pipeline.py FILE FOLDER`. Prints seconds.

Its filesystem source reads, its filesystem destination writes Parquet; all settings are its defaults.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

log, folder = Path(sys.argv[1]), Path(sys.argv[2])
os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(folder / "dlt")}

import dlt  # noqa: E402 - it reads its settings when it is imported
from dlt.sources.filesystem import filesystem, read_jsonl  # noqa: E402

started = time.perf_counter()
events = (filesystem(bucket_url=f"file://{log.parent}", file_glob=log.name) | read_jsonl()).with_name("event")
destination = dlt.destinations.filesystem(bucket_url=f"file://{folder / 'lake'}")
pipeline = dlt.pipeline("bench", destination=destination, dataset_name="app", pipelines_dir=str(folder / "pipelines"))
pipeline.run(events, loader_file_format="parquet")
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
