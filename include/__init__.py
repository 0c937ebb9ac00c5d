"""Everything that stays true without Airflow: no file below imports airflow or fastapi."""
