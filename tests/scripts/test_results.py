import psycopg
import pytest

from scripts.results import SECTIONS, STEP_SECONDS, Task, add_up_stages

REVIEW, MONITOR = "mail__review", "mail__monitor"


def task(dag_id, task_id, run_id="r1", running=10.0, queued=1.0):
    return Task(dag_id, task_id, run_id, running, queued)


def test_a_step_that_two_stages_share_counts_where_its_task_ran():
    steps = {("mail", "score_pool", "r1"): 8.0, ("mail", "score_pool", "m1"): 2.0}
    rows = add_up_stages(steps, [task(REVIEW, "score_pool"), task(MONITOR, "score_pool", "m1")])
    assert [(row[0], row[2]) for row in rows] == [("monitor", "2.0"), ("review", "8.0")]


def test_airflows_share_is_what_is_left_of_the_same_tasks():
    steps = {
        ("mail", "score_pool", "r1"): 8.0,
        ("mail", "choose_batch", "r1"): 4.0,
        ("mail", "choose_batch", "r2"): 99.0,
    }
    rows = add_up_stages(steps, [task(REVIEW, "score_pool"), task(REVIEW, "choose_batch", running=5.0)])
    assert rows == [("review", 2, "12.0", "15.0", "2.0", "1.50")]


def test_a_task_without_a_step_took_only_airflows_time():
    assert add_up_stages({}, [task("mail__land", "watch")]) == [("land", 1, "0.0", "10.0", "1.0", "10.00")]


@pytest.fixture
def warehouse(migrated_warehouse_url):
    with psycopg.connect(migrated_warehouse_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


def test_every_question_is_one_that_the_warehouse_understands(warehouse):
    for query in (*(section.query for section in SECTIONS), STEP_SECONDS):
        assert warehouse.execute(query).fetchall() == []
