"""The Reports page: a small FastAPI app inside Airflow's API server."""
