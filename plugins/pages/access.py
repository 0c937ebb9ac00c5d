"""The one file that touches Airflow's internal security helpers: who asks, and what they may read or answer.

A mounted app has no login check of its own, so `require_login` is a dependency of the whole app.
"""

from typing import Annotated, Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends

from include.names import Stage, dag_id

User = Annotated[BaseUser, Depends(get_user)]
require_login = Depends(get_user)


def may_read(user: BaseUser, problem: str, stage: Stage = Stage.LAND) -> bool:
    """Say whether a person may read about a stage of a problem: those who may see its DAG may.

    Reports are about the first stage and what follows from it.
    """
    return _is_authorized(user, problem, stage, "GET")


def may_answer(user: BaseUser, problem: str) -> bool:
    """Say whether a person may answer a problem's questions: those who may edit its review DAG may."""
    return _is_authorized(user, problem, Stage.REVIEW, "PUT")


def may_close_alerts(user: BaseUser, problem: str) -> bool:
    """Say whether a person may close or put off a problem's alerts: those who may edit its monitor DAG may."""
    return _is_authorized(user, problem, Stage.MONITOR, "PUT")


def roles_of(user: BaseUser) -> frozenset[str]:
    """Name a person's Airflow roles: several with FAB, one with the simple manager, none where there are no roles."""
    roles = getattr(user, "roles", None) or [getattr(user, "role", None)]
    return frozenset(str(getattr(role, "name", role)) for role in roles if role)


def _is_authorized(user: BaseUser, problem: str, stage: Stage, method: Literal["GET", "PUT"]) -> bool:
    details = DagDetails(id=dag_id(problem, stage))
    return get_auth_manager().is_authorized_dag(method=method, details=details, user=user)
