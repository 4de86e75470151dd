//! MySQL's error messages: one constructor per error, named as MySQL names the symbol.
//!
//! Source of numbers, states and texts: mysql-server 8.4, share/messages_to_clients.txt.

use std::fmt::Display;

use super::SqlError;

/// Builds one constructor per line: name, parameters, number, SQLSTATE and text.
macro_rules! sql_errors {
    ($($name:ident($($parameter:ident),*) = $code:literal $state:literal $text:literal;)*) => {
        impl SqlError {
            $(
                #[doc = concat!("MySQL error ", stringify!($code), " (", $state, "): ", $text)]
                #[must_use]
                pub fn $name($($parameter: impl Display),*) -> SqlError {
                    SqlError { code: $code, state: $state, message: format!($text) }
                }
            )*
        }
    };
}

sql_errors! {
    cant_create_table(table, errno, text) = 1005 "HY000" "Can't create table '{table}' (errno: {errno} - {text})";
    cant_create_db(database, errno, text) = 1006 "HY000" "Can't create database '{database}' (errno: {errno} - {text})";
    db_create_exists(database) = 1007 "HY000" "Can't create database '{database}'; database exists";
    db_drop_exists(database) = 1008 "HY000" "Can't drop database '{database}'; database doesn't exist";
    check_read(table) = 1020 "HY000" "Record has changed since last read in table '{table}'";
    disk_full(file, errno, text) = 1021 "HY000" "Disk full ({file}); waiting for someone to free some space... (errno: {errno} - {text})";
    dup_key_write(table) = 1022 "23000" "Can't write; duplicate key in table '{table}'";
    error_on_write(file, errno, text) = 1026 "HY000" "Error writing file '{file}' (errno: {errno} - {text})";
    storage_engine(cause) = 1030 "HY000" "Got error 168 - '{cause}' from storage engine";
    key_not_found(table) = 1032 "HY000" "Can't find record in '{table}'";
    open_as_read_only(table) = 1036 "HY000" "Table '{table}' is read only";
    con_count() = 1040 "08004" "Too many connections";
    handshake() = 1043 "08S01" "Bad handshake";
    db_access_denied(user, host, database) = 1044 "42000" "Access denied for user '{user}'@'{host}' to database '{database}'";
    access_denied(user, host, using_password) = 1045 "28000" "Access denied for user '{user}'@'{host}' (using password: {using_password})";
    no_database() = 1046 "3D000" "No database selected";
    unknown_command() = 1047 "08S01" "Unknown command";
    bad_null(column) = 1048 "23000" "Column '{column}' cannot be null";
    bad_db(database) = 1049 "42000" "Unknown database '{database}'";
    table_exists(table) = 1050 "42S01" "Table '{table}' already exists";
    bad_table(tables) = 1051 "42S02" "Unknown table '{tables}'";
    non_uniq(column, clause) = 1052 "23000" "Column '{column}' in {clause} is ambiguous";
    server_shutdown() = 1053 "08S01" "Server shutdown in progress";
    bad_field(column, clause) = 1054 "42S22" "Unknown column '{column}' in '{clause}'";
    wrong_field_with_group(position, clause, column) = 1055 "42000" "Expression #{position} of {clause} is not in GROUP BY clause and contains nonaggregated column '{column}' which is not functionally dependent on columns in GROUP BY clause; this is incompatible with sql_mode=only_full_group_by";
    wrong_value_count() = 1058 "21S01" "Column count doesn't match value count";
    too_long_ident(identifier) = 1059 "42000" "Identifier name '{identifier}' is too long";
    dup_fieldname(column) = 1060 "42S21" "Duplicate column name '{column}'";
    dup_keyname(key) = 1061 "42000" "Duplicate key name '{key}'";
    dup_entry(value, key) = 1062 "23000" "Duplicate entry '{value}' for key '{key}'";
    wrong_field_spec(column) = 1063 "42000" "Incorrect column specifier for column '{column}'";
    parse(near, line) = 1064 "42000" "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '{near}' at line {line}";
    empty_query() = 1065 "42000" "Query was empty";
    nonuniq_table(table) = 1066 "42000" "Not unique table/alias: '{table}'";
    invalid_default(column) = 1067 "42000" "Invalid default value for '{column}'";
    multiple_pri_key() = 1068 "42000" "Multiple primary key defined";
    too_many_keys(most) = 1069 "42000" "Too many keys specified; max {most} keys allowed";
    too_many_key_parts(most) = 1070 "42000" "Too many key parts specified; max {most} parts allowed";
    too_long_key(most) = 1071 "42000" "Specified key was too long; max key length is {most} bytes";
    key_column_does_not_exist(column) = 1072 "42000" "Key column '{column}' doesn't exist in table";
    blob_used_as_key(column) = 1073 "42000" "BLOB column '{column}' can't be used in key specification with the used table type";
    too_big_fieldlength(column, most) = 1074 "42000" "Column length too big for column '{column}' (max = {most}); use BLOB or TEXT instead";
    wrong_auto_key() = 1075 "42000" "Incorrect table definition; there can be only one auto column and it must be defined as a key";
    wrong_sub_key() = 1089 "HY000" "Incorrect prefix key; the used key part isn't a string, the used length is longer than the key part, or the storage engine doesn't support unique prefix keys";
    cant_remove_all_fields() = 1090 "42000" "You can't delete all columns with ALTER TABLE; use DROP TABLE instead";
    cant_drop_field_or_key(name) = 1091 "42000" "Can't DROP '{name}'; check that column/key exists";
    update_table_used(table) = 1093 "HY000" "You can't specify target table '{table}' for update in FROM clause";
    no_such_thread(id) = 1094 "HY000" "Unknown thread id: {id}";
    no_tables_used() = 1096 "HY000" "No tables used";
    too_big_set(column) = 1097 "HY000" "Too many strings for column {column} and SET";
    table_not_locked(table) = 1100 "HY000" "Table '{table}' was not locked with LOCK TABLES";
    blob_cant_have_default(column) = 1101 "42000" "BLOB, TEXT, GEOMETRY or JSON column '{column}' can't have a default value";
    wrong_db_name(database) = 1102 "42000" "Incorrect database name '{database}'";
    wrong_table_name(table) = 1103 "42000" "Incorrect table name '{table}'";
    unknown_error() = 1105 "HY000" "Unknown error";
    unknown_table(table, place) = 1109 "42S02" "Unknown table '{table}' in {place}";
    field_specified_twice(column) = 1110 "42000" "Column '{column}' specified twice";
    invalid_group_func_use() = 1111 "HY000" "Invalid use of group function";
    table_must_have_columns() = 1113 "42000" "A table must have at least 1 column";
    record_file_full(table) = 1114 "HY000" "The table '{table}' is full";
    unknown_character_set(charset) = 1115 "42000" "Unknown character set: '{charset}'";
    too_many_tables(most) = 1116 "HY000" "Too many tables; MySQL can only use {most} tables in a join";
    too_many_fields() = 1117 "HY000" "Too many columns";
    too_big_rowsize(most) = 1118 "42000" "Row size too large. The maximum row size for the used table type, not counting BLOBs, is {most}. This includes storage overhead, check the manual. You have to change some columns to TEXT or BLOBs";
    wrong_value_count_on_row(row) = 1136 "21S01" "Column count doesn't match value count at row {row}";
    invalid_use_of_null() = 1138 "22004" "Invalid use of NULL value";
    regexp_error(text) = 1139 "42000" "Got error '{text}' from regexp";
    mix_of_group_func_and_fields(position, column) = 1140 "42000" "In aggregated query without GROUP BY, expression #{position} of SELECT list contains nonaggregated column '{column}'; this is incompatible with sql_mode=only_full_group_by";
    table_access_denied(command, user, host, table) = 1142 "42000" "{command} command denied to user '{user}'@'{host}' for table '{table}'";
    no_such_table(database, table) = 1146 "42S02" "Table '{database}.{table}' doesn't exist";
    syntax_error() = 1149 "42000" "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use";
    net_packet_too_large() = 1153 "08S01" "Got a packet bigger than 'max_allowed_packet' bytes";
    net_packets_out_of_order() = 1156 "08S01" "Got packets out of order";
    net_read_error() = 1158 "08S01" "Got an error reading communication packets";
    net_read_interrupted() = 1159 "08S01" "Got timeout reading communication packets";
    wrong_column_name(column) = 1166 "42000" "Incorrect column name '{column}'";
    wrong_key_column(column) = 1167 "42000" "The used storage engine can't index column '{column}'";
    blob_key_without_length(column) = 1170 "42000" "BLOB/TEXT column '{column}' used in key specification without a key length";
    primary_cant_have_null() = 1171 "42000" "All parts of a PRIMARY KEY must be NOT NULL; if you need NULL in a key, use UNIQUE instead";
    update_without_key_in_safe_mode() = 1175 "HY000" "You are using safe update mode and you tried to update a table without a WHERE that uses a KEY column. ";
    key_does_not_exist(key, table) = 1176 "42000" "Key '{key}' doesn't exist in table '{table}'";
    cant_do_this_during_a_transaction() = 1179 "25000" "You are not allowed to execute this command in a transaction";
    unknown_system_variable(variable) = 1193 "HY000" "Unknown system variable '{variable}'";
    crashed_on_usage(table) = 1194 "HY000" "Table '{table}' is marked as crashed and should be repaired";
    lock_wait_timeout() = 1205 "HY000" "Lock wait timeout exceeded; try restarting transaction";
    wrong_arguments(function) = 1210 "HY000" "Incorrect arguments to {function}";
    no_permission_to_create_user(user, host) = 1211 "42000" "'{user}'@'{host}' is not allowed to create new users";
    lock_deadlock() = 1213 "40001" "Deadlock found when trying to get lock; try restarting transaction";
    table_cant_handle_ft() = 1214 "HY000" "The used table type doesn't support FULLTEXT indexes";
    cannot_add_foreign() = 1215 "HY000" "Cannot add foreign key constraint";
    wrong_number_of_columns_in_select() = 1222 "21000" "The used SELECT statements have a different number of columns";
    cant_update_with_readlock() = 1223 "HY000" "Can't execute the query because you have a conflicting read lock";
    specific_access_denied(privileges) = 1227 "42000" "Access denied; you need (at least one of) the {privileges} privilege(s) for this operation";
    local_variable(variable) = 1228 "HY000" "Variable '{variable}' is a SESSION variable and can't be used with SET GLOBAL";
    global_variable(variable) = 1229 "HY000" "Variable '{variable}' is a GLOBAL variable and should be set with SET GLOBAL";
    no_default(variable) = 1230 "42000" "Variable '{variable}' doesn't have a default value";
    wrong_value_for_var(variable, value) = 1231 "42000" "Variable '{variable}' can't be set to the value of '{value}'";
    wrong_type_for_var(variable) = 1232 "42000" "Incorrect argument type to variable '{variable}'";
    cant_use_option_here(option) = 1234 "42000" "Incorrect usage/placement of '{option}'";
    not_supported(feature) = 1235 "42000" "This version of MySQL doesn't yet support '{feature}'";
    source_fatal_error_reading_binlog(code, text) = 1236 "HY000" "Got fatal error {code} from source when reading data from binary log: '{text}'";
    incorrect_global_local_var(variable, scope) = 1238 "HY000" "Variable '{variable}' is a {scope} variable";
    operand_columns(count) = 1241 "21000" "Operand should contain {count} column(s)";
    subquery_no_1_row() = 1242 "21000" "Subquery returns more than 1 row";
    unknown_stmt_handler(handler, command) = 1243 "HY000" "Unknown prepared statement handler ({handler}) given to {command}";
    derived_must_have_alias() = 1248 "42000" "Every derived table must have its own alias";
    tablename_not_allowed_here(table, clause) = 1250 "42000" "Table '{table}' from one of the SELECTs cannot be used in {clause}";
    not_supported_auth_mode() = 1251 "08004" "Client does not support authentication protocol requested by server; consider upgrading MySQL client";
    collation_charset_mismatch(collation, charset) = 1253 "42000" "COLLATION '{collation}' is not valid for CHARACTER SET '{charset}'";
    warn_data_out_of_range(column, row) = 1264 "22003" "Out of range value for column '{column}' at row {row}";
    warn_data_truncated(column, row) = 1265 "01000" "Data truncated for column '{column}' at row {row}";
    cant_aggregate_2collations(first, first_coercibility, second, second_coercibility, operation) = 1267 "HY000" "Illegal mix of collations ({first},{first_coercibility}) and ({second},{second_coercibility}) for operation '{operation}'";
    unknown_collation(collation) = 1273 "HY000" "Unknown collation: '{collation}'";
    wrong_name_for_index(key) = 1280 "42000" "Incorrect index name '{key}'";
    unknown_storage_engine(engine) = 1286 "42000" "Unknown storage engine '{engine}'";
    warn_deprecated_syntax(old, new) = 1287 "HY000" "'{old}' is deprecated and will be removed in a future release. Please use {new} instead";
    option_prevents_statement(option) = 1290 "HY000" "The MySQL server is running with the {option} option so it cannot execute this statement";
    duplicated_value_in_type(column, value, kind) = 1291 "HY000" "Column '{column}' has duplicated value '{value}' in {kind}";
    truncated_wrong_value(kind, value) = 1292 "22007" "Truncated incorrect {kind} value: '{value}'";
    wrong_temporal_value(kind, value, column, row) = 1292 "22007" "Incorrect {kind} value: '{value}' for column '{column}' at row {row}";
    wrong_temporal_literal(kind, value) = 1525 "HY000" "Incorrect {kind} value: '{value}'";
    invalid_on_update(column) = 1294 "HY000" "Invalid ON UPDATE clause for '{column}' column";
    unsupported_ps() = 1295 "HY000" "This command is not supported in the prepared statement protocol yet";
    unknown_time_zone(zone) = 1298 "HY000" "Unknown or incorrect time zone: '{zone}'";
    invalid_character_string(charset, bytes) = 1300 "HY000" "Invalid {charset} character string: '{bytes}'";
    sp_does_not_exist(kind, name) = 1305 "42000" "{kind} {name} does not exist";
    query_interrupted() = 1317 "70100" "Query execution was interrupted";
    no_default_for_field(column) = 1364 "HY000" "Field '{column}' doesn't have a default value";
    division_by_zero() = 1365 "22012" "Division by 0";
    wrong_value_for_field(kind, value, column, row) = 1366 "HY000" "Incorrect {kind} value: '{value}' for column '{column}' at row {row}";
    illegal_value_for_type(kind, value) = 1367 "22007" "Illegal {kind} '{value}' value found during parsing";
    no_binary_logging() = 1381 "HY000" "You are not using binary logging";
    ps_many_param() = 1390 "HY000" "Prepared statement contains too many placeholders";
    cannot_user(operation, accounts) = 1396 "HY000" "Operation {operation} failed for {accounts}";
    data_too_long(column, row) = 1406 "22001" "Data too long for column '{column}' at row {row}";
    wrong_value_for_type(kind, value, function) = 1411 "HY000" "Incorrect {kind} value: '{value}' for function {function}";
    cant_create_geometry_object() = 1416 "22003" "Cannot get geometry object from data you send to the GEOMETRY field";
    too_big_scale(scale, column, most) = 1425 "42000" "Too big scale {scale} specified for column '{column}'. Maximum is {most}.";
    too_big_precision(precision, column, most) = 1426 "42000" "Too-big precision {precision} specified for '{column}'. Maximum is {most}.";
    m_bigger_than_d(column) = 1427 "42000" "For float(M,D), double(M,D) or decimal(M,D), M must be >= D (column '{column}').";
    too_big_display_width(column, most) = 1439 "42000" "Display width out of range for column '{column}' (max = {most})";
    datetime_function_overflow(kind) = 1441 "22008" "Datetime function: {kind} field overflow";
    row_is_referenced(constraint) = 1451 "23000" "Cannot delete or update a parent row: a foreign key constraint fails ({constraint})";
    no_referenced_row(constraint) = 1452 "23000" "Cannot add or update a child row: a foreign key constraint fails ({constraint})";
    max_prepared_stmt_count_reached(most) = 1461 "42000" "Can't create more than max_prepared_stmt_count statements (current value: {most})";
    autoinc_read_failed() = 1467 "HY000" "Failed to read auto-increment value from storage engine";
    cant_change_tx_characteristics() = 1568 "25001" "Transaction characteristics can't be changed while a transaction is in progress";
    base64_decode() = 1575 "HY000" "Decoding of base64 string failed";
    wrong_paramcount_to_native_fct(function) = 1582 "42000" "Incorrect parameter count in the call to native function '{function}'";
    no_format_description_before_binlog(event) = 1609 "HY000" "The BINLOG statement of type {event} was not preceded by a format description BINLOG statement.";
    corrupt_event(cause) = 1610 "HY000" "Corrupted replication event was detected: {cause}";
    need_reprepare() = 1615 "HY000" "Prepared statement needs to be re-prepared";
    conversion_failed(position, database, table, from, to) = 1677 "HY000" "Column {position} of table '{database}.{table}' cannot be converted from type '{from}' to type '{to}'";
    data_out_of_range(kind, expression) = 1690 "22003" "{kind} value is out of range in '{expression}'";
    sql_log_bin_inside_transaction() = 1694 "HY000" "Cannot modify @@session.sql_log_bin inside a transaction";
    access_denied_no_password(user, host) = 1698 "28000" "Access denied for user '{user}'@'{host}'";
    truncate_illegal_fk(constraint) = 1701 "42000" "Cannot truncate a table referenced in a foreign key constraint ({constraint})";
    only_rows_in_binlog(event) = 1730 "HY000" "Only Format_description_log_event and row events are allowed in BINLOG statements (but {event} was provided)";
    gtid_next_cant_be_changed() = 1766 "HY000" "The system variable gtid_next cannot be set when there is an ongoing transaction.";
    malformed_gtid(text) = 1774 "HY000" "Malformed GTID specification '{text}'.";
    implicit_commit_with_gtid() = 1778 "HY000" "Cannot execute statements with implicit commit inside a transaction when @@SESSION.GTID_NEXT == 'UUID:NUMBER'.";
    gtid_next_needs_gtid_mode() = 1781 "HY000" "@@SESSION.GTID_NEXT cannot be set to UUID:NUMBER when @@GLOBAL.GTID_MODE = OFF.";
    gtid_next_cannot_be_anonymous() = 1782 "HY000" "@@SESSION.GTID_NEXT cannot be set to ANONYMOUS when @@GLOBAL.GTID_MODE = ON.";
    client_owns_gtid(gtid) = 1790 "HY000" "@@SESSION.GTID_NEXT cannot be changed by a client that owns a GTID. The client owns {gtid}. Ownership is released on COMMIT or ROLLBACK.";
    cant_execute_in_read_only_transaction() = 1792 "25006" "Cannot execute statement in a READ ONLY transaction.";
    must_change_password() = 1820 "HY000" "You must reset your password using ALTER USER statement before executing this statement.";
    gtid_next_is_used(gtid) = 1837 "HY000" "When @@SESSION.GTID_NEXT is set to a GTID, you must explicitly set it to a different value after a COMMIT or ROLLBACK. Please check GTID_NEXT variable manual page for detailed explanation. Current @@SESSION.GTID_NEXT is '{gtid}'.";
    alter_operation_not_supported(operation, alternative) = 1845 "0A000" "{operation} is not supported for this operation. Try {alternative}.";
    alter_operation_not_supported_reason(operation, reason, alternative) = 1846 "0A000" "{operation} is not supported. Reason: {reason}. Try {alternative}.";
    dup_unknown_in_index(key) = 1859 "23000" "Duplicate entry for key '{key}'";
    query_timeout() = 3024 "HY000" "Query execution was interrupted, maximum statement execution time exceeded";
    order_by_not_in_distinct(position, column) = 3065 "HY000" "Expression #{position} of ORDER BY clause is not in SELECT list, references column '{column}' which is not in SELECT list; this is incompatible with DISTINCT";
    non_default_value_for_generated_column(column, table) = 3105 "HY000" "The value specified for generated column '{column}' in table '{table}' is not allowed.";
    gtid_purged_owns_gtid(gtid) = 3138 "HY000" "Variable gtid_purged cannot be changed by a client that owns a GTID. The client owns {gtid}. Ownership is released on COMMIT or ROLLBACK.";
    invalid_json_text(text, position, column) = 3140 "22032" "Invalid JSON text: \"{text}\" at position {position} in value for column '{column}'.";
    invalid_json_text_in_param(argument, function, text, position) = 3141 "22032" "Invalid JSON text in argument {argument} to function {function}: \"{text}\" at position {position}.";
    invalid_json_charset(charset) = 3144 "22032" "Cannot create a JSON value from a string with CHARACTER SET '{charset}'.";
    json_used_as_key(column) = 3152 "42000" "JSON column '{column}' supports indexing only via generated columns on a specified JSON path.";
    pk_index_cant_be_invisible() = 3522 "HY000" "A primary key index cannot be invisible";
    gtid_purged_constraint(cause) = 3546 "HY000" "@@GLOBAL.GTID_PURGED cannot be changed: {cause}";
    no_system_schema_access(schema) = 3552 "HY000" "Access to system schema '{schema}' is rejected.";
    lock_nowait() = 3572 "HY000" "Statement aborted because lock(s) could not be acquired immediately and NOWAIT is set.";
    could_not_apply_json_diff(table, column, cause) = 3648 "HY000" "Could not apply JSON diff in table {table}, column {column}. ({cause})";
    corrupted_json_diff(table, column, cause) = 3649 "HY000" "Corrupted JSON diff for table {table}, column {column}. ({cause})";
    invalid_default_utf8mb4_collation(collation) = 3721 "HY000" "Invalid default collation {collation}: utf8mb4_0900_ai_ci or utf8mb4_general_ci expected";
    check_constraint_violated(constraint) = 3819 "HY000" "Check constraint '{constraint}' is violated.";
    client_local_files_disabled() = 3948 "42000" "Loading local data is disabled; this must be enabled on both the client and server sides";
    invisible_columns_only() = 4028 "HY000" "A table must have at least one visible column.";
}
