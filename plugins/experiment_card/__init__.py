"""The Experiments page: a small FastAPI app inside Airflow's API server."""
