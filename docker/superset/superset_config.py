"""Superset's settings; every one that is secret comes from the environment, and a missing one stops the start."""

import os

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["SUPERSET_DATABASE_URL"]

# Shared by all its processes, and outlives them.
CACHE_CONFIG = {
    "CACHE_TYPE": "RedisCache",
    "CACHE_REDIS_URL": os.environ["SUPERSET_CACHE_URL"],
    "CACHE_KEY_PREFIX": "superset_",
    # Partitions arrive by the hour at most; five minutes old is fresh.
    "CACHE_DEFAULT_TIMEOUT": 300,
}
DATA_CACHE_CONFIG = CACHE_CONFIG
FILTER_STATE_CACHE_CONFIG = CACHE_CONFIG
EXPLORE_FORM_DATA_CACHE_CONFIG = CACHE_CONFIG

# Nobody sees anything without an account.
PUBLIC_ROLE_LIKE = None
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
