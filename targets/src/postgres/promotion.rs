//! What makes a target a database of its own: its columns go on counting where the source's stopped.

/// A function that gives every AUTO_INCREMENT column a sequence behind the highest number that is there.
pub(super) const FUNCTION: &str = r#"CREATE OR REPLACE FUNCTION weir.promote() RETURNS TABLE (column_name text, next numeric)
LANGUAGE plpgsql SET search_path = pg_catalog AS $weir$
DECLARE
  found record;
  named text;
  highest numeric;
BEGIN
  FOR found IN
    SELECT t.id, t.database_name AS schema, t.table_name AS name, c.value ->> 'name' AS col
    FROM weir.source_table t, jsonb_array_elements(t.definition::jsonb -> 'columns') c
    WHERE (c.value ->> 'auto_increment')::boolean
    ORDER BY 2, 3
  LOOP
    named := format('weir_%s_seq', found.id);
    EXECUTE format('SELECT coalesce(max(%I), 0) FROM %I.%I', found.col, found.schema, found.name)
      INTO highest;
    EXECUTE format('CREATE SEQUENCE IF NOT EXISTS %I.%I OWNED BY %I.%I.%I',
      found.schema, named, found.schema, found.name, found.col);
    PERFORM setval(format('%I.%I', found.schema, named)::regclass, highest::bigint + 1, false);
    EXECUTE format('ALTER TABLE %I.%I ALTER COLUMN %I SET DEFAULT nextval(%L::regclass)',
      found.schema, found.name, found.col, format('%I.%I', found.schema, named));
    column_name := format('%I.%I.%I', found.schema, found.name, found.col);
    next := highest + 1;
    RETURN NEXT;
  END LOOP;
END
$weir$"#;
