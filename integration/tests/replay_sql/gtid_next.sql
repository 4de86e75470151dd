CREATE DATABASE d
CREATE TABLE d.t (a INT, b VARCHAR(20))
SELECT @@gtid_next
SET gtid_next = 'garbage'
SET gtid_next = ''
SET gtid_next = NULL
SET gtid_next = 5
SET gtid_next = 'ANONYMOUS'
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1-5'
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:0'
SET GLOBAL gtid_next = 'AUTOMATIC'
SET gtid_next = DEFAULT
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'
SELECT @@gtid_next, @@session.gtid_owned
INSERT INTO d.t VALUES (77, 'given')
SELECT @@gtid_next, @@session.gtid_owned
SELECT * FROM d.t
INSERT INTO d.t VALUES (78, 'used')
BEGIN
COMMIT
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:2'
BEGIN
COMMIT
SELECT @@gtid_next
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:3'
BEGIN
INSERT INTO d.t VALUES (79, 'x')
SET gtid_next = 'AUTOMATIC'
CREATE TABLE d.q (a INT)
ROLLBACK
SELECT @@gtid_next
SET gtid_next = 'AUTOMATIC'
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'
SELECT @@session.gtid_owned
INSERT INTO d.t VALUES (80, 'skipped')
SELECT ROW_COUNT()
SELECT COUNT(*) FROM d.t WHERE a = 80
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'
BEGIN
INSERT INTO d.t VALUES (81, 'skipped')
INSERT INTO d.nosuch VALUES (81, 'skipped')
SELECT * FROM d.nosuch
UPDATE d.t SET b = 'u'
SELECT * FROM d.t
COMMIT
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'
CREATE TABLE d.skipped (a INT)
DROP TABLE d.t
SET @a = 1
DO 1
SET gtid_next = 'AUTOMATIC'
SELECT * FROM d.skipped
BEGIN
INSERT INTO d.t VALUES (90, 'q')
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:9'
SET sql_log_bin = 0
SET GLOBAL gtid_purged = '+aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:9'
ROLLBACK
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:4'
SELECT COUNT(*) FROM d.t
COMMIT
INSERT INTO d.t VALUES (5, 'r')
SET gtid_next = 'AUTOMATIC'
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:5'
UPDATE d.t SET b = 'zz' WHERE a = -5
SELECT @@session.gtid_owned
SET gtid_next = 'AUTOMATIC'
SELECT @@session.gtid_owned
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:6'
INSERT INTO d.nosuch VALUES (1)
INSERT INTO d.t VALUES (5, 'r')
SET gtid_next = 'AUTOMATIC'
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:7'
SET GLOBAL gtid_purged = 'bbbbaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:7'
SET gtid_next = 'AUTOMATIC'
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:17'
CREATE USER someone
SELECT @@session.gtid_owned
SET gtid_next = 'AUTOMATIC'
SET GLOBAL gtid_purged = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'
SET GLOBAL gtid_purged = 'cccc'
SET GLOBAL gtid_purged = 5
SET GLOBAL gtid_purged = NULL
SET GLOBAL gtid_purged = DEFAULT
SET gtid_purged = 'a'
SET GLOBAL gtid_purged = '+'
SELECT GTID_SUBTRACT(@@GLOBAL.gtid_executed, CONCAT(@@server_uuid, ':1-1000')) = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1-2:4:17'
SET last_insert_id = DEFAULT
SET identity = DEFAULT
SET insert_id = DEFAULT
SET timestamp = DEFAULT
SET sql_log_bin = DEFAULT
SET character_set_client = 33, collation_connection = 33, collation_server = 33
SELECT @@character_set_client, @@collation_connection
SET character_set_client = 255
SET collation_connection = 9999
SET lc_time_names = 0
SET default_collation_for_utf8mb4 = utf8mb4_bin
SET default_collation_for_utf8mb4 = 45
SELECT @@default_collation_for_utf8mb4
SET SESSION default_collation_for_utf8mb4 = DEFAULT
BINLOG 'abc'
BINLOG ''
BINLOG '!!'
SELECT @@pseudo_thread_id = CONNECTION_ID()
SET pseudo_thread_id = 5
SELECT @@pseudo_thread_id
SET pseudo_slave_mode = 1
SELECT @@pseudo_replica_mode
SET GLOBAL sql_mode = ''
SET GLOBAL sql_mode = DEFAULT
SELECT @@GLOBAL.sql_mode
SET autocommit = 0
SET gtid_next = 'bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb:1'
CREATE DATABASE by_itself
SELECT @@SESSION.gtid_next
COMMIT
CREATE TABLE by_itself.t (a INT)
SET gtid_next = 'bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb:2'
CREATE TABLE by_itself.t (a INT)
COMMIT
SET gtid_next = 'bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb:3'
INSERT INTO by_itself.t VALUES (1)
COMMIT
SET gtid_next = 'bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb:4'
DROP DATABASE by_itself
ROLLBACK
SET gtid_next = AUTOMATIC
SET autocommit = 1
SELECT GTID_SUBSET('bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb:1-4', @@GLOBAL.gtid_executed)
