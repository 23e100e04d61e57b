-- One database and the role that owns it; doing it again puts right what differs. Variables: name, and file, where the
-- password is.
-- psql reads the file itself: no process ever carries the password as an argument.
\set password `cat :'file'`
-- A statement that fails is not written to the log, where its password could be read.
SET log_min_error_statement = panic;
SELECT format('CREATE ROLE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
