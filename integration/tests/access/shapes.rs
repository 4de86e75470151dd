//! Ways to write hostile statements, each of which grows with a number.

/// One way to write a statement that grows with `n`.
pub(crate) type Shape = (&'static str, fn(usize) -> String);

fn chain(operator: &str, n: usize) -> String {
    format!("SELECT 1{}", format!(" {operator} 1").repeat(n))
}

fn around(before: &str, after: &str, n: usize) -> String {
    format!("SELECT {}1{}", before.repeat(n), after.repeat(n))
}

/// Statements that are deep or long.
pub(crate) const NESTED: [Shape; 52] = [
    ("+", |n| chain("+", n)),
    ("-", |n| chain("-", n)),
    ("*", |n| chain("*", n)),
    ("%", |n| chain("MOD", n)),
    ("=", |n| chain("=", n)),
    ("<=>", |n| chain("<=>", n)),
    ("OR", |n| chain("OR", n)),
    ("AND", |n| chain("AND", n)),
    ("XOR", |n| chain("XOR", n)),
    ("|", |n| chain("|", n)),
    ("<<", |n| chain("<<", n)),
    ("LIKE", |n| chain("LIKE", n)),
    ("REGEXP", |n| chain("REGEXP", n)),
    ("BETWEEN", |n| chain("BETWEEN 0 AND", n)),
    ("IN", |n| chain("IN (1) IN", 1) + &" IN (1)".repeat(n)),
    ("OR of BETWEEN", |n| chain("BETWEEN 0 AND 2 OR 1", n)),
    ("+ between AND", |n| {
        format!("SELECT {}1", "1 + 1 AND ".repeat(n))
    }),
    ("IS NULL", |n| format!("SELECT 1{}", " IS NULL".repeat(n))),
    ("COLLATE", |n| {
        format!("SELECT 'a'{}", " COLLATE utf8mb4_bin".repeat(n))
    }),
    ("->", |n| {
        format!("SELECT a{} FROM mine.t", " -> '$'".repeat(n))
    }),
    (":=", |n| format!("SELECT {}1", "@a := ".repeat(n))),
    ("NOT", |n| around("NOT ", "", n)),
    ("- -", |n| around("- ", "", n)),
    ("!", |n| around("!", "", n)),
    ("~", |n| around("~", "", n)),
    ("BINARY", |n| around("BINARY ", "", n)),
    ("()", |n| around("(", ")", n)),
    ("(", |n| "(".repeat(n)),
    ("SELECT (", |n| "SELECT (".repeat(n)),
    ("(SELECT)", |n| around("(SELECT ", ")", n)),
    ("EXISTS", |n| around("EXISTS (SELECT ", ")", n)),
    ("ABS", |n| around("ABS(", ")", n)),
    ("CONCAT", |n| around("CONCAT('a', ", ")", n)),
    ("CAST", |n| around("CAST(", " AS SIGNED)", n)),
    ("IF", |n| around("IF(1, 1, ", ")", n)),
    ("CASE", |n| around("CASE WHEN 1 THEN ", " END", n)),
    ("wide CASE", |n| {
        format!("SELECT CASE {} END", "WHEN 1 = 2 THEN 3 ".repeat(n + 1))
    }),
    ("wide IN", |n| format!("SELECT 1 IN (1{})", ",1".repeat(n))),
    ("INTERVAL", |n| {
        format!("SELECT {}1{}", "INTERVAL ".repeat(n), " DAY".repeat(n))
    }),
    ("rows", |n| {
        format!("SELECT {}(1, 1){}", "(".repeat(n), ", 1)".repeat(n))
    }),
    ("derived", |n| {
        format!(
            "SELECT * FROM {}(SELECT 1) d{}",
            "(SELECT * FROM ".repeat(n),
            ") d".repeat(n)
        )
    }),
    ("JOIN", |n| {
        let joins: String = (0..n).map(|i| format!(" JOIN mine.t t{i}")).collect();
        format!("SELECT 1 FROM mine.t{joins}")
    }),
    ("JOIN of derived", |n| {
        let joins: String = (0..n).map(|i| format!(" JOIN (SELECT 1) t{i}")).collect();
        format!("SELECT 1 FROM (SELECT 1) t{joins}")
    }),
    ("(JOIN)", |n| {
        format!(
            "SELECT 1 FROM {}mine.t{}",
            "(".repeat(n),
            " JOIN mine.t)".repeat(n)
        )
    }),
    ("UNION ALL", |n| {
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(n))
    }),
    ("(UNION)", |n| {
        format!("{}SELECT 1{}", "(".repeat(n), " UNION SELECT 1)".repeat(n))
    }),
    ("WITH", |n| {
        format!(
            "{}SELECT 1{}",
            "WITH c AS (".repeat(n),
            ") SELECT * FROM c".repeat(n)
        )
    }),
    ("/*!", |n| format!("SELECT 1 {}", "/*!99999 ".repeat(n))),
    ("/*", |n| {
        format!("SELECT {}1{}", "/* ".repeat(n), " */".repeat(n))
    }),
    ("JSON", |n| {
        format!("SELECT JSON_VALID('{}{}')", "[".repeat(n), "]".repeat(n))
    }),
    ("path", |n| {
        format!("SELECT JSON_EXTRACT('{{}}', '${}')", ".a".repeat(n))
    }),
    ("NUL", |n| format!("SELECT 1 {}x", "\0".repeat(n))),
];

/// `item` for 0..n, joined by commas.
fn list(n: usize, item: impl Fn(usize) -> String) -> String {
    (0..=n).map(item).collect::<Vec<_>>().join(",")
}

/// Statements that list something.
pub(crate) const LISTS: [Shape; 40] = [
    ("IN", |n| {
        format!(
            "SELECT * FROM mine.t WHERE a IN ({})",
            list(n, |i| i.to_string())
        )
    }),
    ("IN of strings", |n| {
        format!(
            "SELECT a FROM mine.t WHERE a IN ({})",
            list(n, |i| format!("'{i}'"))
        )
    }),
    ("IN of rows", |n| {
        format!("SELECT (1, 1) IN ({})", list(n, |i| format!("({i}, 2)")))
    }),
    ("IN of columns", |n| {
        format!(
            "SELECT * FROM mine.t WHERE a IN ({})",
            list(n, |_| "a".to_owned())
        )
    }),
    ("INSERT", |n| {
        format!(
            "INSERT INTO mine.t VALUES {}",
            list(n, |i| format!("({i})"))
        )
    }),
    ("INSERT of expressions", |n| {
        format!(
            "INSERT INTO mine.t VALUES {}",
            list(n, |i| format!("({i} + 1)"))
        )
    }),
    ("INSERT of subqueries", |n| {
        format!(
            "INSERT INTO mine.t VALUES {}",
            list(n % 500, |i| format!("((SELECT {i}))"))
        )
    }),
    ("INSERT of unequal rows", |n| {
        format!(
            "INSERT INTO mine.t VALUES {},(1, 2)",
            list(n, |i| format!("({i})"))
        )
    }),
    ("INSERT without end", |n| {
        format!(
            "INSERT INTO mine.t VALUES {},(",
            list(n, |i| format!("({i})"))
        )
    }),
    ("INSERT of columns", |n| {
        format!(
            "INSERT INTO mine.t ({}) VALUES (1)",
            list(n, |_| "a".to_owned())
        )
    }),
    ("INSERT ... SET", |n| {
        format!("INSERT INTO mine.t SET {}", list(n, |i| format!("a = {i}")))
    }),
    ("ON DUPLICATE KEY", |n| {
        format!(
            "INSERT INTO mine.t VALUES (1) ON DUPLICATE KEY UPDATE {}",
            list(n, |i| format!("a = VALUES(a) + {i}"))
        )
    }),
    ("VALUES ROW", |n| {
        format!("VALUES {}", list(n, |i| format!("ROW({i})")))
    }),
    ("columns", |n| {
        format!("SELECT {}", list(n, |i| i.to_string()))
    }),
    ("columns of tables", |n| {
        format!("SELECT {} FROM mine.t", list(n, |i| format!("a AS c{i}")))
    }),
    ("stars", |n| {
        format!("SELECT {} FROM mine.t", list(n, |_| "t.*".to_owned()))
    }),
    ("GROUP BY", |n| {
        format!(
            "SELECT COUNT(*) FROM mine.t GROUP BY {}",
            list(n, |i| format!("a + {i}"))
        )
    }),
    ("ORDER BY", |n| {
        format!(
            "SELECT a FROM mine.t ORDER BY {}",
            list(n, |i| format!("a + {i}"))
        )
    }),
    ("aggregates", |n| {
        format!(
            "SELECT {} FROM mine.t",
            list(n % 3000, |i| format!("SUM(a + {i})"))
        )
    }),
    ("SET", |n| {
        format!(
            "SET {}",
            list(n % 20_000, |i| format!("@a{} = {i}", i % 50))
        )
    }),
    ("SET of subqueries", |n| {
        format!(
            "SET {}",
            list(n % 100, |_| "@b = (SELECT MAX(a) FROM mine.t)".to_owned())
        )
    }),
    ("UPDATE", |n| {
        format!(
            "UPDATE mine.t SET {} WHERE a < 0",
            list(n, |i| format!("a = a + {i}"))
        )
    }),
    ("DO", |n| format!("DO {}", list(n, |i| format!("{i} + 1")))),
    ("GRANT", |n| {
        format!(
            "GRANT {} ON mine.* TO app",
            list(n, |_| "SELECT".to_owned())
        )
    }),
    ("GRANT to many", |n| {
        format!(
            "GRANT SELECT ON mine.* TO {}",
            list(n, |i| format!("u{i}@h"))
        )
    }),
    ("DROP TABLE", |n| {
        format!(
            "DROP TABLE IF EXISTS {}",
            list(n % 2000, |i| format!("mine.lost{i}"))
        )
    }),
    ("LOCK TABLES", |n| {
        format!(
            "LOCK TABLES {}",
            list(n % 2000, |i| format!("mine.t AS t{i} READ"))
        )
    }),
    ("RENAME TABLE", |n| {
        format!(
            "RENAME TABLE {}",
            list(n, |i| format!("mine.lost{i} TO mine.x{i}"))
        )
    }),
    ("CREATE TABLE", |n| {
        format!(
            "CREATE TABLE mine.wide ({})",
            list(n, |i| format!("c{i} INT"))
        )
    }),
    ("CREATE TABLE of keys", |n| {
        format!(
            "CREATE TABLE mine.keys (a INT, {})",
            list(n, |i| format!("KEY k{i} (a)"))
        )
    }),
    ("key parts", |n| {
        format!(
            "CREATE TABLE mine.parts (a INT, KEY ({}))",
            list(n, |_| "a".to_owned())
        )
    }),
    ("ENUM", |n| {
        format!(
            "CREATE TABLE mine.e (a ENUM ({}))",
            list(n, |i| format!("'m{i}'"))
        )
    }),
    ("ALTER TABLE", |n| {
        format!(
            "ALTER TABLE mine.none {}",
            list(n, |i| format!("ADD COLUMN c{i} INT"))
        )
    }),
    ("DELETE of tables", |n| {
        format!(
            "DELETE {} FROM mine.t",
            list(n % 3000, |_| "mine.t".to_owned())
        )
    }),
    ("WITH", |n| {
        format!(
            "WITH {} SELECT 1",
            list(n % 700, |i| format!("c{i} AS (SELECT {i})"))
        )
    }),
    ("COALESCE", |n| {
        format!("SELECT COALESCE({})", list(n, |_| "NULL".to_owned()))
    }),
    ("CONCAT of many", |n| {
        format!("SELECT LENGTH(CONCAT({}))", list(n, |i| i.to_string()))
    }),
    ("JSON_ARRAY", |n| {
        format!(
            "SELECT JSON_LENGTH(JSON_ARRAY({}))",
            list(n, |i| i.to_string())
        )
    }),
    ("FIELD", |n| {
        format!("SELECT FIELD('x', {})", list(n, |i| format!("'{i}'")))
    }),
    ("FLUSH", |n| {
        format!("FLUSH TABLES {}", list(n, |_| "mine.t".to_owned()))
    }),
];

/// Statements whose values grow.
pub(crate) const GROWING: [Shape; 44] = [
    ("REPEAT", |n| format!("SELECT LENGTH(REPEAT('a', {n}))")),
    ("sent REPEAT", |n| format!("SELECT REPEAT('a', {n})")),
    ("SPACE", |n| format!("SELECT LENGTH(SPACE({n}))")),
    ("SPACE of 2^64", |n| {
        format!("SELECT SPACE({}{n})", u64::MAX / 100)
    }),
    ("LPAD", |n| format!("SELECT LENGTH(LPAD('a', {n}, 'xyz'))")),
    ("RPAD", |n| format!("SELECT LENGTH(RPAD('a', {n}, 'xyz'))")),
    ("REPLACE", |n| {
        format!("SELECT LENGTH(REPLACE(REPEAT('a', {n}), 'a', REPEAT('b', {n})))")
    }),
    ("CONCAT", |n| {
        format!("SELECT LENGTH(CONCAT(REPEAT('a', {n}), REPEAT('b', {n})))")
    }),
    ("CONCAT_WS", |n| {
        format!(
            "SELECT LENGTH(CONCAT_WS(',', {}))",
            list(9, |_| format!("REPEAT('a', {n})"))
        )
    }),
    ("columns", |n| {
        format!("SELECT {}", list(9, |_| format!("REPEAT('a', {n})")))
    }),
    ("INSERT()", |n| {
        format!("SELECT LENGTH(INSERT(REPEAT('a', {n}), 1, 1, REPEAT('b', {n})))")
    }),
    ("EXPORT_SET", |n| {
        format!("SELECT LENGTH(EXPORT_SET(-1, REPEAT('a', {n}), 'b'))")
    }),
    ("MAKE_SET", |n| {
        format!(
            "SELECT LENGTH(MAKE_SET(-1, {}))",
            list(63, |_| format!("REPEAT('a', {n})"))
        )
    }),
    ("HEX", |n| format!("SELECT LENGTH(HEX(REPEAT('a', {n})))")),
    ("UNHEX", |n| {
        format!("SELECT LENGTH(UNHEX(REPEAT('ab', {n})))")
    }),
    ("TO_BASE64", |n| {
        format!("SELECT LENGTH(TO_BASE64(REPEAT('a', {n})))")
    }),
    ("FROM_BASE64", |n| {
        format!("SELECT LENGTH(FROM_BASE64(REPEAT('abcd', {n})))")
    }),
    ("WEIGHT_STRING", |n| {
        format!("SELECT LENGTH(WEIGHT_STRING(REPEAT('a', {n})))")
    }),
    ("QUOTE", |n| {
        format!("SELECT LENGTH(QUOTE(REPEAT('\\'', {n})))")
    }),
    ("REVERSE", |n| {
        format!("SELECT LENGTH(REVERSE(REPEAT('a', {n})))")
    }),
    ("UPPER", |n| {
        format!("SELECT LENGTH(UPPER(REPEAT('\u{df}', {n})))")
    }),
    ("FORMAT", |n| format!("SELECT FORMAT(1e308, {n})")),
    ("ROUND", |n| {
        format!("SELECT ROUND(1.5, {n}), TRUNCATE(1e300, -{n})")
    }),
    ("decimal", |n| {
        format!("SELECT {}", "9".repeat(n.min(1 << 20) + 1))
    }),
    ("AES and hashes", |n| {
        format!("SELECT MD5(REPEAT('a', {n})), SHA2(REPEAT('a', {n}), 512)")
    }),
    ("GROUP_CONCAT", |n| {
        format!("SELECT LENGTH(GROUP_CONCAT(REPEAT('a', {n}))) FROM mine.n")
    }),
    ("ordered GROUP_CONCAT", |n| {
        format!("SELECT LENGTH(GROUP_CONCAT(REPEAT('a', {n}) ORDER BY a DESC)) FROM mine.n")
    }),
    ("JSON_ARRAYAGG", |n| {
        format!("SELECT LENGTH(JSON_ARRAYAGG(REPEAT('a', {n}))) FROM mine.n")
    }),
    ("JSON_OBJECTAGG", |n| {
        format!("SELECT LENGTH(JSON_OBJECTAGG(a, REPEAT('a', {n}))) FROM mine.n")
    }),
    ("COUNT(DISTINCT)", |n| {
        format!("SELECT COUNT(DISTINCT CONCAT(a, REPEAT('a', {n}))) FROM mine.n")
    }),
    ("sorted", |n| {
        format!("SELECT LENGTH(x) FROM (SELECT REPEAT(a, {n}) x FROM mine.n ORDER BY x) d")
    }),
    ("JSON document", |n| {
        format!("SELECT JSON_LENGTH(CONCAT('[', REPEAT('1,', {n}), '1]'))")
    }),
    ("JSON depth", |n| {
        format!("SELECT JSON_DEPTH(CONCAT(REPEAT('[', {n}), REPEAT(']', {n})))")
    }),
    ("JSON path", |n| {
        format!("SELECT JSON_EXTRACT('[]', CONCAT('$', REPEAT('[0]', {n})))")
    }),
    ("recursive query", |n| {
        format!(
            "WITH RECURSIVE c AS (SELECT 1 n, REPEAT('a', {n}) x UNION ALL SELECT n + 1, x FROM c) \
             SELECT MAX(LENGTH(x)) FROM c"
        )
    }),
    ("endless join", |n| {
        format!(
            "SELECT COUNT(DISTINCT a.a, b.a, c.a) FROM mine.n a, mine.n b, mine.n c \
             WHERE a.a + b.a + c.a > {n}"
        )
    }),
    ("endless INSERT", |n| {
        format!(
            "INSERT INTO mine.t SELECT a.a + {n} FROM mine.n a, mine.n b LIMIT {}",
            n % 20_000
        )
    }),
    ("REGEXP", |n| {
        format!("SELECT REPEAT('a', {n}) REGEXP '(a*)*b'")
    }),
    ("REGEXP of counts", |n| {
        format!("SELECT 'a' REGEXP '(a{{1,{n}}}){{1,1000}}'")
    }),
    ("LIKE", |n| {
        format!(
            "SELECT REPEAT('a', {n}) LIKE '{}b'",
            "%a".repeat(n.min(2000))
        )
    }),
    ("user variable", |n| {
        format!("SET @v{} = REPEAT('a', {n})", n % 100)
    }),
    ("doubled variable", |_| {
        "SET @d = CONCAT(COALESCE(@d, 'dd'), COALESCE(@d, 'dd'))".to_owned()
    }),
    ("PREPARE", |n| {
        format!("PREPARE p{n} FROM 'SELECT {}1'", "1 + ".repeat(n % 700))
    }),
    ("long name", |n| {
        format!("SELECT 1 AS `{}`", "n".repeat(n.min(1 << 20)))
    }),
];
