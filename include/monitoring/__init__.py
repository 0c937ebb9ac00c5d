"""Whether what the models say still happens, what moved, and who must know.

Pure files: `calibration.py`, `drift.py`, `alerts.py`. `aggregates.py` asks the engine for sums, `measurements.py`
turns sums into rows of the warehouse, `store.py` reads and writes there, `steps.py` is what Airflow calls.
"""
