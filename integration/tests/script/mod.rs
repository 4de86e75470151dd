//! What the clients run: create, read, update, delete, prepared statements, and errors.

/// The table, for clients that run their own statements.
pub(crate) const SETUP: &[&str] = &[
    "DROP DATABASE IF EXISTS shop",
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE items (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), \
     price DECIMAL(10,2) NOT NULL DEFAULT '0.00', made DATETIME(3), UNIQUE KEY name (name))",
];

/// Statements without rows, some of which fail.
pub(crate) const STATEMENTS: &[&str] = &[
    "DROP DATABASE IF EXISTS shop",
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE items (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), \
     price DECIMAL(10,2) NOT NULL DEFAULT '0.00', made DATETIME(3), UNIQUE KEY name (name))",
    "CREATE TABLE sales (id INT PRIMARY KEY, item INT NOT NULL, n INT UNSIGNED, KEY item (item))",
    "INSERT INTO items (name, price, made) VALUES ('apple', 0.5, '2024-01-02 03:04:05.678'), \
     ('pear', 0.75, NULL), ('plum', 1, '2024-01-02')",
    "INSERT INTO items (name) VALUES ('apple')",
    "INSERT IGNORE INTO items (name, price) VALUES ('apple', 9), ('quince', 2.345)",
    "INSERT INTO items (name, price) VALUES ('pear', 3) ON DUPLICATE KEY UPDATE price = price + 1",
    "REPLACE INTO items (id, name, price) VALUES (3, 'plum', 1.5)",
    "INSERT INTO sales VALUES (1, 1, 10), (2, 1, 5), (3, 2, 7), (4, 3, NULL)",
    "UPDATE items SET price = price * 2 WHERE price < 1",
    "UPDATE items SET price = 1.5 WHERE id = 3",
    "DELETE FROM sales WHERE n IS NULL",
    "BEGIN",
    "DELETE FROM items",
    "ROLLBACK",
    "START TRANSACTION",
    "UPDATE sales SET n = n + 1 ORDER BY id DESC LIMIT 2",
    "SAVEPOINT s",
    "DELETE FROM sales",
    "ROLLBACK TO SAVEPOINT s",
    "COMMIT",
    "SELECT nothing FROM items",
    "SELECT * FROM nowhere",
    "INSERT INTO items (id, name) VALUES (1, 'again')",
    "INSERT INTO items (name) VALUES ('longer than forty characters, so that it does not fit')",
    "INSERT INTO sales VALUES (9, NULL, 1)",
    "INSERT INTO sales VALUES (9, 1, -1)",
    "INSERT INTO sales VALUES (9, 'x', 1)",
    "SELEC 1",
    "CREATE TABLE items (id INT)",
    "DROP TABLE nowhere",
    "USE nowhere",
];

/// Queries over what the statements left.
pub(crate) const QUERIES: &[&str] = &[
    "SELECT * FROM items ORDER BY id",
    "SELECT id, name, price, price * 2, CONCAT(name, '!') AS shout FROM items WHERE price > 1 \
     ORDER BY price DESC, id LIMIT 3",
    "SELECT i.name, SUM(s.n) AS sold, COUNT(*) FROM items i JOIN sales s ON s.item = i.id \
     GROUP BY i.name ORDER BY sold DESC",
    "SELECT i.name, s.n FROM items i LEFT JOIN sales s ON s.item = i.id ORDER BY i.id, s.id",
    "SELECT COUNT(*), MIN(price), MAX(price), AVG(price), SUM(price) FROM items",
    "SELECT DISTINCT item FROM sales ORDER BY item",
    "SELECT name FROM items WHERE name LIKE 'p%' AND id IN (SELECT item FROM sales) ORDER BY name",
    "SELECT UPPER(name), LENGTH(name), SUBSTRING(name, 2, 3), IFNULL(made, 'never') FROM items \
     ORDER BY id",
    "SELECT 1 + 1, 7 / 2, 7 DIV 2, 7 % 3, 'a' = 'A', NULL IS NULL, 1.0 * 3, -5",
    "SHOW TABLES",
    "SHOW COLUMNS FROM items",
    "SHOW CREATE TABLE sales",
];

/// For the command line clients: SQL-level prepared statements and what they print.
pub(crate) const CLI_ONLY: &[&str] = &[
    "PREPARE p FROM 'SELECT name FROM items WHERE id = ? OR name = ?'",
    "SET @id = 1",
    "SET @name = 'pear'",
    "EXECUTE p USING @id, @name",
    "DEALLOCATE PREPARE p",
    "EXECUTE p",
    "DESCRIBE sales",
    "SELECT @id + 1, @name",
    "INSERT IGNORE INTO items (id, name) VALUES (1, 'one'), (50, 'fifty')",
    "TRUNCATE TABLE sales",
    "SELECT COUNT(*) FROM sales",
    "DROP TABLE sales",
    "SHOW TABLES",
    "DROP DATABASE shop",
];

/// PyMySQL: arguments are port, user, password, and `tls` or `plain`.
pub(crate) const PYMYSQL: &str = r#"
import sys, ssl, decimal
import pymysql
port, user, password, mode = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
tls = None
if mode == "tls":
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
connection = pymysql.connect(host="127.0.0.1", port=port, user=user, password=password, ssl=tls,
                             charset="utf8mb4")
cursor = connection.cursor()
def run(sql, *arguments):
    try:
        affected = cursor.execute(sql, arguments or None)
        print(sql, affected, cursor.lastrowid, cursor.fetchall() if cursor.description else "")
        if cursor.description:
            print([(column[0], column[1]) for column in cursor.description])
    except pymysql.MySQLError as error:
        print(sql, type(error).__name__, error.args)
run("DROP DATABASE IF EXISTS shop")
run("CREATE DATABASE shop")
connection.select_db("shop")
run("CREATE TABLE items (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), "
    "price DECIMAL(10,2), made DATETIME, day DATE, span TIME, data BLOB, ratio DOUBLE, flag BIT(1))")
for name, price in [("apple", decimal.Decimal("0.5")), ("it's \\ \"q\"", None), ("漢字 😀", 3)]:
    run("INSERT INTO items (name, price, made, day, span, data, ratio, flag) VALUES "
        "(%s, %s, '2024-02-29 12:00:00', '2024-02-29', '-01:02:03', %s, 0.1, b'1')",
        name, price, b"\x00\xff\x27")
connection.commit()
run("SELECT * FROM items ORDER BY id")
run("UPDATE items SET price = price + %s WHERE id = %s", 1, 1)
run("UPDATE items SET price = price + 0 WHERE id = %s", 1)
connection.rollback()
run("SELECT price FROM items WHERE id = 1")
run("DELETE FROM items WHERE name LIKE %s", "it%")
connection.commit()
run("SELECT COUNT(*), SUM(price) FROM items")
cursor.executemany("INSERT INTO items (name, price) VALUES (%s, %s)", [("a", 1), ("b", 2)])
print(cursor.rowcount)
connection.commit()
run("SELECT id, name FROM items WHERE name IN ('a', 'b') ORDER BY id")
run("INSERT INTO items (id) VALUES (1)")
run("SELECT * FROM missing")
connection.autocommit(True)
run("SELECT @@autocommit")
connection.ping()
print(connection.get_autocommit(), connection.character_set_name())
"#;
