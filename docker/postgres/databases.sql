-- Three databases with an owner each, and a role that may read the views of `bi` and nothing else.
-- Run once by the image, as the superuser, while the data volume is empty; passwords come from the environment.

\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv mulgil_password MULGIL_DB_PASSWORD
\getenv bi_password BI_DB_PASSWORD
\getenv superset_password SUPERSET_DB_PASSWORD

CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE mulgil LOGIN PASSWORD :'mulgil_password';
CREATE ROLE superset LOGIN PASSWORD :'superset_password';
-- A report that runs away is stopped before it slows down the loop.
CREATE ROLE bi_reader LOGIN PASSWORD :'bi_password';
ALTER ROLE bi_reader SET statement_timeout = '60s';
ALTER ROLE bi_reader SET default_transaction_read_only = on;

CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE mulgil OWNER mulgil;
CREATE DATABASE superset OWNER superset;
-- By default every role may connect to every database, and fill the disk with temporary tables.
REVOKE CONNECT, TEMPORARY ON DATABASE airflow, mulgil, superset, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE mulgil TO bi_reader;

\connect mulgil
-- Made here, not by the first migration, so that views which a migration adds are readable from their first moment.
CREATE SCHEMA bi AUTHORIZATION mulgil;
GRANT USAGE ON SCHEMA bi TO bi_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE mulgil IN SCHEMA bi GRANT SELECT ON TABLES TO bi_reader;
