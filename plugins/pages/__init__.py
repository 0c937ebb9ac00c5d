"""What every page of ours inside Airflow shares: who asks, and when its app is made."""
