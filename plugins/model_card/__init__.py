"""Model cards and what-if pages: a small FastAPI app inside Airflow's API server."""
