import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, create_engine, inspect, text

from include.names import BI, CORE
from include.settings import REPOSITORY
from include.warehouse import migrate
from include.warehouse.tables import METADATA
from include.warehouse.views import read_views


def differences(engine):
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == CORE,
            "version_table_schema": CORE,
            "compare_type": True,
            "compare_server_default": True,
        }
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)


def test_the_migrations_lead_to_exactly_the_declared_tables(warehouse):
    assert differences(warehouse) == []


def test_the_migrations_make_the_checks_of_the_declared_tables(warehouse):
    declared = {
        (table.name, check.name)
        for table in METADATA.sorted_tables
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    made = inspect(warehouse).get_multi_check_constraints(CORE)
    assert {(name, check["name"]) for (_, name), checks in made.items() for check in checks} == declared != set()


def test_a_column_that_no_migration_knows_is_noticed(warehouse):
    with warehouse.begin() as connection:
        connection.execute(text("ALTER TABLE core.gate_check DROP COLUMN detail CASCADE"))
        connection.execute(text("COMMENT ON COLUMN core.gate_check.value IS 'something else'"))
    assert {difference[0] for difference in _flat(differences(warehouse))} == {"add_column", "modify_comment"}


def _flat(found):
    return [item[0] if isinstance(item, list) else item for item in found]


def test_every_column_table_and_view_says_what_it_is_in_the_warehouse(warehouse):
    query = """
        SELECT c.relname || coalesce('.' || a.attname, '')
        FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'v') AND c.relnamespace IN ('core'::regnamespace, 'bi'::regnamespace)
          AND c.relname <> 'alembic_version'
          AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)
    """
    with warehouse.connect() as connection:
        assert connection.scalars(text(query)).all() == []


def test_upgrading_twice_keeps_rows_and_remakes_views(warehouse, migrated_warehouse_url, make_row):
    table = METADATA.tables["core.alert"]
    with warehouse.begin() as connection:
        connection.execute(table.insert(), [make_row(table)])
    migrate.upgrade(migrated_warehouse_url)
    with warehouse.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM core.alert")) == 1
    assert set(inspect(warehouse).get_view_names(BI)) == {view.name for view in read_views()}


def test_four_callers_that_race_all_succeed(warehouse_url):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [warehouse_url] * 4))
    engine = create_engine(warehouse_url)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT version_num FROM core.alembic_version")).all() != []
    assert differences(engine) == []
    engine.dispose()


def test_a_filled_warehouse_goes_back_to_nothing_and_forward_again(warehouse, migrated_warehouse_url, make_row):
    with warehouse.begin() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(table.insert(), [make_row(table)])
    migrate.downgrade(migrated_warehouse_url, "base")
    assert inspect(warehouse).get_table_names(CORE) == ["alembic_version"]
    assert inspect(warehouse).get_view_names(BI) == []
    migrate.upgrade(migrated_warehouse_url)
    assert differences(warehouse) == []


def add_audits(warehouse, *rows):
    names = "problem, partition_key, run_id, n_in, n_published, n_quarantined, n_duplicate, verdict, n_in_lake"
    with warehouse.begin() as connection:
        for row in rows:
            insert = f"INSERT INTO core.partition_audit ({names}, finished_at_utc) VALUES ({row}, now())"
            connection.execute(text(insert))


def test_what_refusals_kept_out_before_it_was_a_number_is_counted(warehouse, migrated_warehouse_url):
    migrate.downgrade(migrated_warehouse_url, "0012")
    add_audits(warehouse, "'p', 'a', 'r', 10, 0, 2, 1, 'refused', 0", "'p', 'b', 'r', 10, 7, 2, 1, 'published', 7")
    migrate.upgrade(migrated_warehouse_url)
    with warehouse.begin() as connection:
        query = "SELECT n_refused FROM core.partition_audit ORDER BY partition_key"
        assert connection.scalars(text(query)).all() == [7, 0]


def test_counts_that_do_not_add_up_are_repaired_and_those_that_do_are_left(warehouse, migrated_warehouse_url):
    rows = {
        "'p', 'a', 'r', 10, 0, 2, 1, 'published', 0": (10, 7, 2, 1, 0),  # retention had taken the rows out
        "'p', 'b', 'r', 10, 6, 4, 1, 'published', 6": (10, 6, 3, 1, 0),  # an erased row was counted twice
        "'p', 'c', 'r', 10, 0, 12, 1, 'published', 0": (10, 0, 9, 1, 0),
        "'p', 'd', 'r', 10, 0, 12, 1, 'refused', 4": (10, 0, 9, 1, 0),
        "'p', 'e', 'r', 10, 3, 2, 1, 'refused', 3": (10, 0, 2, 1, 7),
        "'p', 'f', 'r', 10, 11, 2, 1, 'published', 11": (14, 11, 2, 1, 0),
        "'p', 'g', 'r', 10, 7, 2, 1, 'published', 0": (10, 7, 2, 1, 0),
    }
    migrate.downgrade(migrated_warehouse_url, "0012")
    add_audits(warehouse, *rows)
    migrate.upgrade(migrated_warehouse_url)
    with warehouse.begin() as connection:
        query = "SELECT n_in, n_published, n_quarantined, n_duplicate, n_refused FROM core.partition_audit"
        found = connection.execute(text(f"{query} ORDER BY partition_key")).all()
    assert [tuple(row) for row in found] == list(rows.values())


def test_older_shares_become_ranges_with_the_control_first(warehouse, migrated_warehouse_url):
    migrate.downgrade(migrated_warehouse_url, "0023")
    names = "problem, partition_key, outcome, variant, is_final, posterior, reason, decided_at_utc"
    decision = f"INSERT INTO core.experiment_decision ({names}) VALUES"
    shares = {
        "1": ("pilot", {"a": 0.1, "b": 0.2, "c": 0.7}),
        "2": ("rest", {"control": 1.0}),
        "3": ("rest", {"adverse": 0.9, "control": 0.1}),
    }
    with warehouse.begin() as connection:
        for key, sent in (("1", "NULL, false"), ("2", "NULL, false"), ("3", "'adverse', true")):
            connection.execute(text(f"{decision} ('p', '{key}', 'wait', {sent}, '{{}}', '', now())"))
            mark = (
                "INSERT INTO core.coverage (problem, stage, partition_key, status, n_failures, updated_at_utc) VALUES"
            )
            connection.execute(text(f"{mark} ('p', 'experiment', '{key}', 'done', 0, now())"))
        for key, (phase, parts) in shares.items():
            for variant, share in parts.items():
                row = f"('p', '{key}', '{phase}', '{variant}', {share})"
                connection.execute(text(f"INSERT INTO core.allocation VALUES {row}"))
    migrate.upgrade(migrated_warehouse_url)
    with warehouse.connect() as connection:
        query = "SELECT partition_key, phase, variant, low, high FROM core.allocation ORDER BY partition_key, place"
        rows = [tuple(row) for row in connection.execute(text(query))]
        assert rows[3:] == [
            ("2", "hold", None, None, None),
            ("3", "rest", "control", 0.0, 0.1),
            ("3", "rest", "adverse", 0.1, 1.0),
        ]
        assert [low for *_, low, _ in rows[:3]] == [0.0, *(high for *_, high in rows[:2])]
        assert rows[2][-1] == 1.0
        undone = "SELECT partition_key FROM core.coverage WHERE status = 'running'"
        assert connection.scalars(text(undone)).all() == ["3"]


def test_a_failing_view_leaves_the_warehouse_as_it_was(warehouse, migrated_warehouse_url, tmp_path, monkeypatch):
    (tmp_path / "broken.sql").write_text("-- Grain: none.\nSELECT nothing\nFROM core.no_such_table\n")
    before = inspect(warehouse).get_view_names(BI)
    real = migrate.create_views
    monkeypatch.setattr(migrate, "create_views", lambda connection: real(connection, tmp_path))
    with pytest.raises(Exception, match="no_such_table"):
        migrate.upgrade(migrated_warehouse_url)
    inspector = inspect(warehouse)
    assert inspector.get_view_names(BI) == before != []


def test_the_command_writes_a_migration_only_for_what_changed(warehouse, migrated_warehouse_url, tmp_path, monkeypatch):
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (folder / name).write_text((migrate.MIGRATIONS / name).read_text())
    for path in (migrate.MIGRATIONS / "versions").glob("*.py"):
        (folder / "versions" / path.name).write_text(path.read_text())
    with warehouse.begin() as connection:
        connection.execute(text("ALTER TABLE core.gate_check DROP COLUMN detail CASCADE"))
    monkeypatch.setattr(migrate, "MIGRATIONS", folder)
    written = migrate.write_revision(migrated_warehouse_url, "checks say something").read_text()
    assert written.count("op.add_column('gate_check'") == 1
    assert "create_table" not in written


def test_the_commands_run_from_a_shell(warehouse_url):
    def run(*arguments):
        command = [sys.executable, "-m", "include.warehouse.migrate", *arguments]
        environment = {"MULGIL_WAREHOUSE_URL": warehouse_url, "PATH": "/usr/bin:/bin"}
        return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)

    assert run("upgrade").returncode == 0
    assert run("downgrade", "base").returncode == 0
    assert run().returncode == 2
    engine = create_engine(warehouse_url)
    assert inspect(engine).get_table_names(CORE) == ["alembic_version"]
    engine.dispose()


def test_windows_that_the_version_before_left_undone_are_done_again(warehouse, migrated_warehouse_url, make_row):
    decision, mark = METADATA.tables["core.experiment_decision"], METADATA.tables["core.coverage"]
    with warehouse.begin() as connection:
        rows = [make_row(decision, problem="p", partition_key=key, is_stale=False) for key in ("01", "02", "03")]
        connection.execute(decision.insert(), rows)
        marks = [("01", "done"), ("02", "running")]
        rows = [make_row(mark, problem="p", stage="experiment", partition_key=key, status=said) for key, said in marks]
        connection.execute(mark.insert(), rows)
    migrate.downgrade(migrated_warehouse_url, "0032")
    migrate.upgrade(migrated_warehouse_url)
    with warehouse.connect() as connection:
        stale = connection.scalars(text("SELECT partition_key FROM core.experiment_decision WHERE is_stale"))
        assert sorted(stale) == ["02", "03"]
