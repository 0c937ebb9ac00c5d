"""The embedded stack: PostgreSQL and Airflow on this machine, under one folder, for one person.

`make run`, `make down` and `make info` are `python -m scripts.stack run|down|info`. What belongs here: starting,
watching and stopping servers. What does not: anything about data; that is `include/`, reached through Airflow or one
late import.
"""
