"""The one file that touches Airflow's internal security helpers: who asks, and what they may read.

A mounted app has no login check of its own, so `require_login` is a dependency of the whole app.
"""

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends

from include.names import Stage, dag_id

User = Annotated[BaseUser, Depends(get_user)]
require_login = Depends(get_user)


def may_read(user: BaseUser, problem: str) -> bool:
    """Say whether a person may read a problem: those who may see its first DAG may see its reports."""
    details = DagDetails(id=dag_id(problem, Stage.LAND))
    return get_auth_manager().is_authorized_dag(method="GET", details=details, user=user)
