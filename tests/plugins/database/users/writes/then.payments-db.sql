-- Managed by nthlayer-sync: change the blueprint, not this file.
-- Run it in the database resource:default/payments-db, as a role that may create roles and grant what is in its schema:
-- psql --set=ON_ERROR_STOP=1 --file=...
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('nthlayer-sync database/users', 0));
DO $nthlayer$ DECLARE
  role text;
  powers text;
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    PERFORM set_config('createrole_self_grant', 'set, inherit', true);
  END IF;
  FOREACH role IN ARRAY ARRAY['payments_owner', 'payments_rw', 'payments_ro']::text[] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I', role);
      EXECUTE format('COMMENT ON ROLE %I IS %L', role, 'nthlayer-sync default component:default/payments');
    ELSIF shobj_description(to_regrole(quote_ident(role)), 'pg_authid') IS DISTINCT FROM 'nthlayer-sync default component:default/payments' THEN
      RAISE EXCEPTION 'the role % exists and does not bear the mark of nthlayer-sync', role;
    END IF;
    SELECT concat(CASE WHEN rolsuper THEN ' NOSUPERUSER' END, CASE WHEN rolcreatedb THEN ' NOCREATEDB' END,
      CASE WHEN rolcreaterole THEN ' NOCREATEROLE' END, CASE WHEN rolreplication THEN ' NOREPLICATION' END,
      CASE WHEN rolbypassrls THEN ' NOBYPASSRLS' END) INTO powers FROM pg_roles WHERE rolname = role;
    IF powers <> '' THEN
      EXECUTE format('ALTER ROLE %I', role) || powers;
    END IF;
    EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL', role, current_database());
  END LOOP;
END $nthlayer$;
ALTER ROLE "payments_owner" NOLOGIN INHERIT CONNECTION LIMIT -1;
ALTER ROLE "payments_owner" RESET ALL;
ALTER ROLE "payments_rw" LOGIN INHERIT CONNECTION LIMIT 60;
ALTER ROLE "payments_rw" RESET ALL;
ALTER ROLE "payments_rw" SET idle_in_transaction_session_timeout TO '60000ms';
ALTER ROLE "payments_rw" SET search_path TO 'public';
ALTER ROLE "payments_rw" SET statement_timeout TO '5000ms';
ALTER ROLE "payments_ro" NOLOGIN INHERIT CONNECTION LIMIT -1;
ALTER ROLE "payments_ro" RESET ALL;
DO $nthlayer$ DECLARE
  held record;
BEGIN
  FOR held IN
    SELECT DISTINCT r.rolname AS role,
      format(CASE c.relkind WHEN 'S' THEN 'SEQUENCE %I.%I' ELSE 'TABLE %I.%I' END, n.nspname, c.relname) AS what
    FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rolname = ANY (ARRAY['payments_owner', 'payments_rw', 'payments_ro']::text[]) AND c.relowner <> r.oid AND (
      EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = r.oid)
      OR EXISTS (
        SELECT FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = c.oid AND a.grantee = r.oid
      )
    )
    UNION ALL
    SELECT DISTINCT r.rolname, format('SCHEMA %I', n.nspname)
    FROM pg_roles r, pg_namespace n, aclexplode(n.nspacl) a
    WHERE r.rolname = ANY (ARRAY['payments_owner', 'payments_rw', 'payments_ro']::text[]) AND a.grantee = r.oid AND n.nspowner <> r.oid
    UNION ALL
    SELECT DISTINCT r.rolname, format('DATABASE %I', d.datname)
    FROM pg_roles r, pg_database d, aclexplode(d.datacl) a
    WHERE r.rolname = ANY (ARRAY['payments_owner', 'payments_rw', 'payments_ro']::text[]) AND a.grantee = r.oid AND d.datname = current_database()
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %I', held.what, held.role);
  END LOOP;
  FOR held IN
    SELECT DISTINCT r.rolname AS role, d.defaclrole::regrole AS maker, n.nspname AS schema,
      CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
        WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END AS what
    FROM pg_roles r, pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace,
      aclexplode(d.defaclacl) a
    WHERE r.rolname = ANY (ARRAY['payments_owner', 'payments_rw', 'payments_ro']::text[]) AND a.grantee = r.oid AND d.defaclrole <> r.oid
  LOOP
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s', held.maker)
      || CASE WHEN held.schema IS NULL THEN '' ELSE format(' IN SCHEMA %I', held.schema) END
      || format(' REVOKE ALL ON %s FROM %I', held.what, held.role);
  END LOOP;
END $nthlayer$;
DO $nthlayer$ BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO "payments_owner"', current_database());
END $nthlayer$;
GRANT CREATE, USAGE ON SCHEMA "public" TO "payments_owner";
DO $nthlayer$ BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO "payments_rw"', current_database());
END $nthlayer$;
GRANT USAGE ON SCHEMA "public" TO "payments_rw";
DO $nthlayer$ DECLARE
  there record;
BEGIN
  FOR there IN
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = '"public"'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE "public".%I TO "payments_rw"', there.relname);
  END LOOP;
END $nthlayer$;
ALTER DEFAULT PRIVILEGES FOR ROLE "payments_owner" IN SCHEMA "public" GRANT DELETE, INSERT, SELECT, UPDATE ON TABLES TO "payments_rw";
DO $nthlayer$ DECLARE
  there record;
BEGIN
  FOR there IN
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = '"public"'::regnamespace AND c.relkind IN ('S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('GRANT SELECT, USAGE ON SEQUENCE "public".%I TO "payments_rw"', there.relname);
  END LOOP;
END $nthlayer$;
ALTER DEFAULT PRIVILEGES FOR ROLE "payments_owner" IN SCHEMA "public" GRANT SELECT, USAGE ON SEQUENCES TO "payments_rw";
DO $nthlayer$ BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO "payments_ro"', current_database());
END $nthlayer$;
GRANT USAGE ON SCHEMA "public" TO "payments_ro";
DO $nthlayer$ DECLARE
  there record;
BEGIN
  FOR there IN
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = '"public"'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('GRANT SELECT ON TABLE "public".%I TO "payments_ro"', there.relname);
  END LOOP;
END $nthlayer$;
ALTER DEFAULT PRIVILEGES FOR ROLE "payments_owner" IN SCHEMA "public" GRANT SELECT ON TABLES TO "payments_ro";
DO $nthlayer$ DECLARE
  there record;
BEGIN
  FOR there IN
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = '"public"'::regnamespace AND c.relkind IN ('S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('GRANT SELECT ON SEQUENCE "public".%I TO "payments_ro"', there.relname);
  END LOOP;
END $nthlayer$;
ALTER DEFAULT PRIVILEGES FOR ROLE "payments_owner" IN SCHEMA "public" GRANT SELECT ON SEQUENCES TO "payments_ro";
DO $nthlayer$ DECLARE
  held record;
  wanted text;
BEGIN
  FOR held IN
    SELECT g.rolname AS granted, m.rolname AS member, by.rolname AS grantor
    FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
      JOIN pg_roles by ON by.oid = a.grantor
    WHERE (g.rolname = 'payments_owner' AND m.rolname <> current_user AND m.rolname <> ALL (ARRAY[]::text[])
        AND coalesce(to_jsonb(a) ->> 'set_option', to_jsonb(a) ->> 'inherit_option', 'true') = 'true')
      OR (m.rolname = 'payments_owner' AND coalesce(shobj_description(g.oid, 'pg_authid'), '') NOT LIKE 'nthlayer-sync %')
  LOOP
    EXECUTE format('REVOKE %I FROM %I', held.granted, held.member)
      || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN format(' GRANTED BY %I', held.grantor)
         ELSE '' END;
  END LOOP;
  FOREACH wanted IN ARRAY ARRAY[]::text[] LOOP
    EXECUTE format('GRANT %I TO %I', 'payments_owner', wanted);
  END LOOP;
END $nthlayer$;
DO $nthlayer$ DECLARE
  held record;
  wanted text;
BEGIN
  FOR held IN
    SELECT g.rolname AS granted, m.rolname AS member, by.rolname AS grantor
    FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
      JOIN pg_roles by ON by.oid = a.grantor
    WHERE (g.rolname = 'payments_rw' AND m.rolname <> current_user AND m.rolname <> ALL (ARRAY[]::text[])
        AND coalesce(to_jsonb(a) ->> 'set_option', to_jsonb(a) ->> 'inherit_option', 'true') = 'true')
      OR (m.rolname = 'payments_rw' AND coalesce(shobj_description(g.oid, 'pg_authid'), '') NOT LIKE 'nthlayer-sync %')
  LOOP
    EXECUTE format('REVOKE %I FROM %I', held.granted, held.member)
      || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN format(' GRANTED BY %I', held.grantor)
         ELSE '' END;
  END LOOP;
  FOREACH wanted IN ARRAY ARRAY[]::text[] LOOP
    EXECUTE format('GRANT %I TO %I', 'payments_rw', wanted);
  END LOOP;
END $nthlayer$;
DO $nthlayer$ DECLARE
  held record;
  wanted text;
BEGIN
  FOR held IN
    SELECT g.rolname AS granted, m.rolname AS member, by.rolname AS grantor
    FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
      JOIN pg_roles by ON by.oid = a.grantor
    WHERE (g.rolname = 'payments_ro' AND m.rolname <> current_user AND m.rolname <> ALL (ARRAY[]::text[])
        AND coalesce(to_jsonb(a) ->> 'set_option', to_jsonb(a) ->> 'inherit_option', 'true') = 'true')
      OR (m.rolname = 'payments_ro' AND coalesce(shobj_description(g.oid, 'pg_authid'), '') NOT LIKE 'nthlayer-sync %')
  LOOP
    EXECUTE format('REVOKE %I FROM %I', held.granted, held.member)
      || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN format(' GRANTED BY %I', held.grantor)
         ELSE '' END;
  END LOOP;
  FOREACH wanted IN ARRAY ARRAY[]::text[] LOOP
    EXECUTE format('GRANT %I TO %I', 'payments_ro', wanted);
  END LOOP;
END $nthlayer$;
COMMIT;
