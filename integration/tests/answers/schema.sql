CREATE DATABASE answers
USE answers
CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(20), c DECIMAL(8,3), d DATETIME, e ENUM('x','y','z'), f DOUBLE, u BIGINT UNSIGNED, KEY a (a), UNIQUE KEY b (b))
INSERT INTO t (a, b, c, d, e, f, u) VALUES (1, 'one', 1.5, '2024-01-31 10:20:30', 'x', 0.1, 18446744073709551615), (2, 'Two', -2.25, '2023-12-31 23:59:59', 'y', -1e10, 0), (3, 'three', 0, NULL, 'z', 3.14159, 42), (NULL, NULL, NULL, '2024-02-29 00:00:00', NULL, NULL, NULL), (2, 'zwei', 100.125, '2000-01-01 00:00:00', 'x', 2, 7)
CREATE TABLE s (id INT PRIMARY KEY, t INT, n INT, note TEXT)
INSERT INTO s VALUES (1, 1, 10, 'ten'), (2, 1, 20, 'twenty'), (3, 2, 30, NULL), (4, 9, 40, 'forty')
