//! The parser against what clients send and against MySQL's own error places.

use super::ast::*;
use super::*;
use sqlparser::ast as sp;

fn statement(text: &str) -> Statement {
    parse(text.as_bytes(), &ParseOptions::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .statement
}

fn error(text: &str) -> String {
    match parse(text.as_bytes(), &ParseOptions::default()) {
        Err(error) => error.message,
        Ok(parsed) => panic!("{text}: {:?}", parsed.statement),
    }
}

#[test]
fn the_text_of_an_expression_leaves_the_marks_of_comments_out() {
    let text = "SET @@GLOBAL.gtid_purged=/*!80000 '+'*/ 'a:1-3'";
    let Statement::Admin(Admin::Set(items)) = statement(text) else {
        panic!("{text}")
    };
    let [SetItem::System { value, .. }] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert!(
        matches!(value, SetValue::Expression(value) if value.text == "'+' 'a:1-3'"),
        "{value:?}"
    );
}

fn expression(text: &str) -> String {
    let Statement::Query(Query::Do(mut list)) = statement(&format!("DO {text}")) else {
        panic!("{text}")
    };
    nested(&list.remove(0).expr)
}

/// The expression with every operator in parentheses.
fn nested(expr: &sp::Expr) -> String {
    match expr {
        sp::Expr::BinaryOp { left, op, right } => {
            format!("({} {op} {})", nested(left), nested(right))
        }
        sp::Expr::UnaryOp { op, expr } => format!("({op} {})", nested(expr)),
        sp::Expr::IsNull(expr) => format!("({} IS NULL)", nested(expr)),
        sp::Expr::Like { expr, pattern, .. } => {
            format!("({} LIKE {})", nested(expr), nested(pattern))
        }
        sp::Expr::Between {
            expr, low, high, ..
        } => {
            format!(
                "({} BETWEEN {} AND {})",
                nested(expr),
                nested(low),
                nested(high)
            )
        }
        other => other.to_string(),
    }
}

/// The statements as captured, with numbers as `N`, long lists as `...` or `,..` and unknown names
/// as `X`; this puts plausible values back.
fn restored(captured: &str) -> String {
    captured
        .replace("/*!N ", "/*!40101 ")
        .replace("/*!N,", "/*!40101,")
        .replace("/*M!N", "/*M!100100")
        .replace("VALUES (...)", "VALUES (1)")
        .replace("N,..", "5,2")
        .replace("(N)", "(6)")
        .replace("=N ", "=5 ")
        .replace(", N)", ", 5)")
        .replace("LIMIT N", "LIMIT 5")
        .replace("limit N", "limit 5")
        .replace("IGNORE N LINES", "IGNORE 5 LINES")
        .replace("X``id", "X`.`id")
        .replace("'+N:N'", "'+00:00'")
}

#[test]
fn parses_every_statement_that_clients_send() {
    let corpus = include_str!("../testdata/client-statements.txt");
    let mut failed = Vec::new();
    for captured in corpus.lines() {
        let text = restored(captured);
        if let Err(error) = parse(text.as_bytes(), &ParseOptions::default()) {
            failed.push(format!("{text}\n    {error}"));
        }
    }
    let expected = ["SHOW ALL SLAVES STATUS N", "SHOW SLAVE STATUS N"];
    failed.retain(|text| !expected.iter().any(|prefix| text.starts_with(prefix)));
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn operators_bind_as_in_mysql() {
    for (text, tree) in [
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("1 | 2 & 3 << 4 + 5", "(1 | (2 & (3 << (4 + 5))))"),
        ("2 * 3 ^ 4", "(2 * (3 ^ 4))"),
        ("-1 ^ 2", "((- 1) ^ 2)"),
        ("a OR b AND NOT c = d", "(a OR (b AND (NOT (c = d))))"),
        ("a XOR b AND c OR d", "((a XOR (b AND c)) OR d)"),
        ("a || b && c", "(a OR (b AND c))"),
        ("! a = b", "((! a) = b)"),
        ("a = b LIKE c", "(a = (b LIKE c))"),
        ("a BETWEEN 1 AND 2 AND c", "((a BETWEEN 1 AND 2) AND c)"),
        ("a = b IS NULL", "((a = b) IS NULL)"),
        ("7 MOD 3 + 1", "((7 % 3) + 1)"),
        ("a DIV b * c", "((a DIV b) * c)"),
        ("@x := 1 + 2", "(@x := (1 + 2))"),
    ] {
        assert_eq!(expression(text), tree, "{text}");
    }
}

#[test]
fn bytes_beyond_ascii_are_refused_where_they_mean_nothing() {
    let options = ParseOptions {
        is_seven_bit: true,
        ..ParseOptions::default()
    };
    for text in [
        "SELECT 'é'",
        "SELECT 'a' 'é'",
        "INSERT INTO t VALUES (1, 'a'), (2, 'é')",
        "CREATE TABLE `é` (a INT)",
        "CREATE TABLE t (a INT COMMENT 'é')",
        "SET @`é` = 1",
    ] {
        let refused = parse(text.as_bytes(), &options).unwrap_err();
        assert_eq!(refused.code, 1300, "{text}");
        assert_eq!(refused.message, "Invalid ascii character string: 'C3A9'");
        assert!(parse(text.as_bytes(), &ParseOptions::default()).is_ok());
    }
    for text in [
        "SELECT _utf8mb4'é', _binary'a' 'é' /* é */ -- é",
        "INSERT INTO t VALUES (1, _latin1'é')",
    ] {
        parse(text.as_bytes(), &options).unwrap();
    }
}

#[test]
fn the_no_break_space_of_latin1_begins_a_comment_as_blanks_do() {
    let options = ParseOptions {
        names: NameCharacters::Latin1,
        ..ParseOptions::default()
    };
    let parsed = parse("do 5--\u{a0}1".as_bytes(), &options).unwrap();
    let Statement::Query(Query::Do(list)) = parsed.statement else {
        panic!()
    };
    assert_eq!(list.len(), 1);
    assert_eq!(format!("{}", list[0].expr), "5");
}

#[test]
fn pipes_concatenate_when_the_mode_says_so() {
    let options = ParseOptions {
        sql_mode: SqlMode::PIPES_AS_CONCAT,
        ..ParseOptions::default()
    };
    let parsed = parse(b"do a || b * c", &options).unwrap();
    let Statement::Query(Query::Do(list)) = parsed.statement else {
        panic!()
    };
    assert_eq!(nested(&list[0].expr), "((a || b) * c)");
}

#[test]
fn literals_arrive_in_one_form() {
    assert_eq!(expression(r#"'a' "b" 'c'"#), "'abc'");
    assert_eq!(expression("_utf8mb4'x'"), "'x'");
    assert_eq!(expression("_utf8mb4\"x\" 'y'"), "'xy'");
    assert_eq!(expression("_binary'x'"), "_binary 'x'");
    assert_eq!(expression("_binary X'FF'"), "_binary X'FF'");
    assert_eq!(expression("_latin1 b'101'"), "_latin1 X'05'");
    assert_eq!(expression("N'x'"), "N'x'");
    assert_eq!(expression("0x1F"), "X'1F'");
    assert_eq!(expression("@@global.server_id"), "@@global.server_id");
    let parsed = parse(b"select '\xff'", &ParseOptions::default()).unwrap();
    let tree = format!("{:?}", parsed.statement);
    assert!(tree.contains("HexStringLiteral(\"FF\")"));
    assert!(tree.contains("Prefixed"));
}

#[test]
fn intervals_take_every_unit() {
    for text in [
        "now() + interval 1 day",
        "now() - interval '1:30' minute_second",
        "date_add(a, interval -1 microsecond)",
        "interval(1, 2, 3)",
    ] {
        expression(text);
    }
}

#[test]
fn functions_with_words_for_names_are_calls() {
    for text in [
        "left('abc', 2)",
        "right(a, 1)",
        "replace(a, 'x', 'y')",
        "insert(a, 1, 2, 'x')",
        "if(a, b, c)",
        "truncate(1.5, 0)",
        "database()",
        "schema()",
        "user()",
        "current_user()",
        "mod(7, 3)",
        "values(a)",
        "char(65, 66)",
        "year(a)",
        "date(a)",
        "time(a)",
        "timestamp(a)",
        "now(6)",
        "current_timestamp",
        "current_timestamp(3)",
        "utc_timestamp()",
        "cast(a as unsigned)",
        "cast(a as signed integer)",
        "cast(a as char(5))",
        "cast(a as decimal(10,2))",
        "cast(a as binary)",
        "convert(a using utf8mb4)",
        "convert(a, signed)",
        "substring(a from 2 for 3)",
        "substring(a, 2)",
        "trim(both 'x' from a)",
        "position('a' in b)",
        "extract(year from a)",
        "group_concat(distinct a order by b separator ',')",
        "count(distinct a, b)",
        "a -> '$.x'",
        "a ->> '$.x'",
        "a member of ('[1]')",
        "a regexp 'x'",
        "a not rlike 'x'",
        "(1, 2) in ((1, 2), (3, 4))",
        "exists (select 1)",
        "a is not true",
        "row_number() over (partition by a order by b)",
        "json_object('a', 1)",
        "date '2024-01-01'",
        "timestamp'2024-01-01 00:00:00'",
        "binary a = b",
        "a collate utf8mb4_bin",
        "default(a)",
        "case a when 1 then 2 else 3 end",
        "a <=> null",
        "not a",
        "~a",
        "connection_id()",
        "repeat('x', 3)",
        "utc_date()",
        "uuid()",
        "weight_string(a)",
        "char_length(a)",
        "timestampdiff(second, a, b)",
        "timestampadd(month, 1, a)",
        "get_format(date, 'usa')",
        "interval(1,2)",
        "ifnull(a, b)",
        "coalesce(a, b)",
        "position",
        "`select`",
        "a.`b`.`c`",
        "format(1.5, 2)",
        "md5('x')",
        "any_value(a)",
        "last_insert_id()",
        "row_count()",
        "ascii('a')",
    ] {
        expression(text);
    }
}

#[test]
fn queries_of_every_shape_parse() {
    for text in [
        "select 1 from dual where 1 limit 1, 2",
        "select * from a, b left join c using (x) where a.y = b.y for update",
        "select sql_calc_found_rows distinct a from t order by null",
        "select a from t use index (i) where b in (select c from d) lock in share mode",
        "select a from t group by a with rollup having count(*) > 1",
        "(select 1) union all (select 2) order by 1 limit 3",
        "with recursive c (n) as (select 1 union all select n + 1 from c where n < 5) select * from c",
        "table t",
        "values row(1, 2), row(3, 4)",
        "select $$",
        "select @a, @@x, @@session.y",
        "select a b, c as 'd', e as `f` from t as u",
        "select t.* from t",
        "select straight_join a from t natural join u",
        "select high_priority sql_no_cache 1",
        "select a from t where a = ? and b = ? limit ?",
        "select * from (select 1 as a) as d",
        "select a from t for share nowait",
        "select a from t for update skip locked",
        "select ifnull(ENGINE, 'NONE') as ENGINE from t",
        "select user, host from mysql.user",
        "select 1 as 'x y'",
        "select a from t where not (a > 1)",
    ] {
        assert!(statement(text).is_select(), "{text}");
    }
}

#[test]
fn row_statements_of_every_shape_parse() {
    for text in [
        "insert into t values (1, default), (?, now())",
        "insert into t () values ()",
        "insert t set a = 1, b = 'x'",
        "insert low_priority ignore into d.t (a) value (1)",
        "insert into t (a) values (1) on duplicate key update a = values(a) + 1, b = b",
        "insert into t (a) values (1) as new on duplicate key update a = new.a",
        "insert into t select * from u",
        "insert into t (a, b) (select 1, 2)",
        "insert into t values row(1, 2)",
        "replace into t values (1)",
        "replace t set a = 1",
        "update t set a = a + 1, t.b = default where c = 1 order by d desc limit 5",
        "update ignore t, u set t.a = u.a where t.b = u.b",
        "update low_priority t join u on t.a = u.a set t.b = 1",
        "delete from t where a = 1 order by b limit 1",
        "delete quick ignore t.*, u from t join u on t.a = u.a where t.b = 1",
        "delete from t using t join u on t.a = u.a",
    ] {
        let parsed = statement(text);
        assert!(matches!(parsed, Statement::Write(_)), "{text}: {parsed:?}");
    }
}

#[test]
fn tables_keep_every_attribute() {
    let text = "create table if not exists `d`.`t` (
        id bigint unsigned zerofill not null auto_increment primary key comment 'k''ey',
        a varchar(10) character set latin1 collate latin1_bin default 'x',
        b decimal(10,2) not null default -1.50 check (b > 0),
        c enum('a','b''c') charset utf8mb4, d set('x'), e datetime(6) not null default
        current_timestamp(6) on update current_timestamp(6), f json default (json_array()),
        g int generated always as (b + 1) stored, h int as (1) virtual invisible, i bit(5) default b'1',
        j double precision, k year(4), l geometry srid 4326, m vector(3), n serial, o long varchar,
        p national varchar(3), q bool default true, r binary(3) default x'0102', s text binary,
        key (a(5) desc, (lower(a))) using btree comment 'c', unique u (b), fulltext (a),
        constraint fk foreign key (b) references p (x) on delete set null on update no action,
        constraint c1 check (a <> 'x') not enforced
      ) engine=InnoDB auto_increment 5 default charset=utf8mb4 collate utf8mb4_bin comment='t'
      row_format=dynamic stats_persistent=0";
    let Statement::Ddl(Ddl::CreateTable(table)) = statement(text) else {
        panic!()
    };
    let CreateTableSource::Definition {
        elements,
        options,
        select: None,
    } = table.source
    else {
        panic!()
    };
    assert_eq!(elements.len(), 25);
    assert_eq!(options.auto_increment, Some(5));
    assert_eq!(options.charset.collation.as_deref(), Some("utf8mb4_bin"));
    let TableElement::Column(b) = &elements[2] else {
        panic!()
    };
    assert_eq!(
        b.attributes.default,
        Some(DefaultValue::Number("-1.50".into()))
    );
    assert_eq!(b.attributes.checks[0].expression.text, "b > 0");
    let TableElement::Column(r) = &elements[18] else {
        panic!("{:?}", elements[18])
    };
    assert_eq!(r.attributes.default, Some(DefaultValue::Hex(vec![1, 2])));
}

#[test]
fn alter_table_gives_one_clause_per_change() {
    let text = "alter table t add column a int first, add (b int, c int), add index i (a), \
        add constraint u unique (b), add foreign key (a) references p (x), drop column d, drop key i, \
        drop primary key, modify e int not null after a, change f g int, rename column h to j, \
        rename index i to k, alter column a set default 5, alter index i invisible, engine=innodb \
        comment 'x', convert to character set utf8mb4, disable keys, algorithm=inplace, lock=none, \
        rename to z";
    let Statement::Ddl(Ddl::AlterTable(alter)) = statement(text) else {
        panic!()
    };
    // Options that follow each other without commas are one clause.
    assert_eq!(alter.clauses.len(), 21);
}

#[test]
fn set_takes_every_form() {
    let Statement::Admin(Admin::Set(items)) = statement(
        "set @a = 1, @b := (select 2), session c = on, @@global.d = default, names utf8mb4 collate \
         'utf8mb4_bin', persist e = 'x'",
    ) else {
        panic!()
    };
    assert_eq!(items.len(), 6);
    assert!(matches!(&items[2], SetItem::System { value: SetValue::Word(w), .. } if w == "on"));
    for text in [
        "set character set utf8",
        "set transaction isolation level read committed, read only",
        "set session transaction read write",
        "set global transaction isolation level serializable",
        "set sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')),time_zone='+00:00',NAMES utf8mb4",
        "SET SESSION NET_READ_TIMEOUT= 86400, SESSION NET_WRITE_TIMEOUT= 86400",
        "set names default",
        "set autocommit=0",
    ] {
        assert!(
            matches!(statement(text), Statement::Admin(Admin::Set(_))),
            "{text}"
        );
    }
    assert!(matches!(
        statement("set password for a@b = 'x'"),
        Statement::Account(Account::SetPassword { .. })
    ));
}

#[test]
fn accounts_parse_as_older_servers_log_them() {
    let logged = ParseOptions {
        is_logged: true,
        ..ParseOptions::default()
    };
    for text in [
        "CREATE USER 'a'@'%' IDENTIFIED BY PASSWORD '*DD825501206B46AB8645F4CF927F85D4D7A5A5E4'",
        "GRANT SELECT ON *.* TO 'a'@'%' IDENTIFIED BY PASSWORD '*DD825501206B46AB8645F4CF927F85D4D7A5A5E4' \
         REQUIRE SSL WITH GRANT OPTION MAX_QUERIES_PER_HOUR 5 MAX_USER_CONNECTIONS 2",
        "GRANT ALL PRIVILEGES ON d.* TO a, 'b'@'c' IDENTIFIED WITH mysql_native_password AS '*DD'",
        "GRANT USAGE ON *.* TO 'a'@'%' WITH MAX_QUERIES_PER_HOUR 5",
    ] {
        let parsed = parse(text.as_bytes(), &logged).unwrap();
        assert!(matches!(parsed.statement, Statement::Account(_)), "{text}");
        let error = parse(text.as_bytes(), &ParseOptions::default()).unwrap_err();
        assert_eq!(error.code, 1064, "{text}");
    }
}

#[test]
fn administrative_statements_parse() {
    for text in [
        "create user if not exists 'a'@'%' identified with mysql_native_password by 'x', b require ssl",
        "create user 'a'@'localhost' identified by 'x' password expire never account unlock",
        "alter user current_user() identified by 'y'",
        "alter instance rotate binlog master key",
        "drop user if exists a@b, c",
        "rename user a to b",
        "grant all privileges on *.* to a@'%' with grant option",
        "grant replication slave, replication client on *.* to 'r'@'%'",
        "grant select (a, b), insert on d.t to x",
        "grant all on `d%`.* to x@localhost",
        "revoke all privileges, grant option from a",
        "revoke insert on d.* from a@b",
        "change replication source to source_host='h', source_port=3306, source_auto_position=1 for \
         channel ''",
        "change master to master_host='h', master_log_file='f', master_log_pos=4, \
         master_heartbeat_period=1.5, ignore_server_ids=(1,2)",
        "change replication filter replicate_do_db=(a,b), replicate_rewrite_db=((a,b)), \
         replicate_wild_do_table=('a.%')",
        "start replica io_thread until source_log_file='f', source_log_pos=4 user='x' password='y'",
        "start slave",
        "stop slave sql_thread for channel 'x'",
        "reset replica all",
        "reset master",
        "reset binary logs and gtids to 5",
        "purge binary logs to 'b.000002'",
        "purge master logs before now() - interval 1 day",
        "flush binary logs",
        "flush local tables with read lock",
        "flush relay logs for channel 'a'",
        "flush hosts, status",
        "kill query 5",
        "lock tables a read local, b as c write",
        "unlock tables",
        "use `x y`",
        "show binlog events in 'f' from 4 limit 1, 2",
        "show full columns from t from d like 'a%'",
        "show grants for current_user()",
        "show count(*) warnings",
        "show errors limit 1",
        "show global variables where variable_name like 'a'",
        "show replica status for channel 'x'",
        "show create user root@localhost",
        "show storage engines",
        "show extended columns from t",
        "explain format=tree select 1",
        "desc t a",
        "explain update t set a = 1",
        "prepare s from 'select ?'",
        "execute s using @a, @b",
        "deallocate prepare s",
        "check table a, b quick extended",
        "analyze no_write_to_binlog table a",
        "do sleep(1)",
        "help 'select'",
        "rename table a to b, c.d to e",
        "truncate t",
        "drop tables if exists a, b.c",
        "create unique index i using btree on t (a(10), b) algorithm=inplace lock=none",
        "drop index `PRIMARY` on t",
        "alter database d charset utf8mb4",
        "shutdown",
        "create database d default character set = utf8mb4 /*!80016 DEFAULT ENCRYPTION='N' */",
        "start transaction with consistent snapshot, read only",
        "commit and no chain no release",
        "rollback work to savepoint x",
        "release savepoint x",
        "",
    ] {
        let parsed = statement(text);
        assert!(
            !matches!(parsed, Statement::NotSupported { .. }),
            "{text}: {parsed:?}"
        );
    }
}

#[test]
fn names_what_is_not_supported() {
    for (text, expected) in [
        (
            "create trigger a before insert on t for each row begin set a = 1; end",
            "CREATE TRIGGER",
        ),
        (
            "create definer=`a`@`b` procedure p() select 1",
            "CREATE PROCEDURE",
        ),
        ("create or replace view v as select 1", "CREATE VIEW"),
        ("create view", "CREATE VIEW"),
        (
            "create or replace definer=a@b event if not exists e on schedule every 1 day do begin do 1; do 2; end",
            "CREATE EVENT",
        ),
        ("alter event e do begin do 1; do 2; end", "ALTER EVENT"),
        (
            "create spatial reference system 1 name 'n'",
            "CREATE SPATIAL REFERENCE SYSTEM",
        ),
        ("install component 'file://c'", "INSTALL COMPONENT"),
        ("uninstall plugin", "UNINSTALL PLUGIN"),
        ("revoke 'r'@'h' from a", "REVOKE role"),
        ("set default role r to u", "SET DEFAULT ROLE"),
        ("xa start 'x'", "XA"),
        ("alter instance rotate innodb master key", "ALTER INSTANCE"),
        ("load data local infile 'x' into table t", "LOAD DATA"),
        ("select 1 into outfile 'x'", "SELECT ... INTO"),
    ] {
        match statement(text) {
            Statement::NotSupported { construct, .. } => assert_eq!(construct, expected),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn errors_point_at_the_token_that_did_not_fit() {
    for (text, near, line) in [
        ("garbage", "garbage", 1),
        ("select 1 +", "", 1),
        ("select\n* frm t", "frm t", 2),
        ("create table t (a foo)", "foo)", 1),
        ("insert into t values (1,,2)", ",2)", 1),
        ("select 'abc", "'abc", 1),
        ("update t set", "", 1),
        ("select 1; select 2", "select 2", 1),
        ("show slave status nolock", "nolock", 1),
        ("drop table select", "select", 1),
    ] {
        let expected = format!("use near '{near}' at line {line}");
        let found = error(text);
        assert!(found.ends_with(&expected), "{text}: {found}");
    }
}

#[test]
fn several_statements_come_one_by_one() {
    let text = b"select 1; ;insert into t values (';') ; ";
    let options = ParseOptions::default();
    let (first, at) = parse_first(text, &options).unwrap();
    assert_eq!((first.text.as_slice(), at), (&b"select 1"[..], 10));
    let (second, next) = parse_first(&text[at..], &options).unwrap();
    assert_eq!(second.statement, Statement::Empty);
    let (third, _) = parse_first(&text[at + next..], &options).unwrap();
    assert_eq!(third.text, b"insert into t values (';')");
}

#[test]
fn counts_parameters() {
    let parsed = parse(
        b"select ? from t where a = ? and b = '?'",
        &ParseOptions::default(),
    );
    assert_eq!(parsed.unwrap().parameters, 2);
}

#[test]
fn deep_nesting_is_refused_not_fatal() {
    let text = format!("select {}1{}", "(".repeat(5000), ")".repeat(5000));
    let error = parse(text.as_bytes(), &ParseOptions::default()).unwrap_err();
    assert_eq!(error.code, 1436);
}

#[test]
fn comments_for_other_versions_are_plain_in_the_text_that_is_logged() {
    let options = ParseOptions::default();
    for (text, kept) in [
        (
            "CREATE DATABASE d /*!80400 */",
            "CREATE DATABASE d /*!80400 */",
        ),
        (
            " CREATE DATABASE d /*!99999 COLLATE /* x */ y */ ;",
            "CREATE DATABASE d /* 99999 COLLATE    x    y */",
        ),
        (
            "CREATE DATABASE d /*M!100100 COLLATE x */",
            "CREATE DATABASE d /*M 100100 COLLATE x */",
        ),
        (
            "DROP DATABASE `/*!99999 x*/`",
            "DROP DATABASE `/*!99999 x*/`",
        ),
    ] {
        let parsed = parse(text.as_bytes(), &options).unwrap();
        assert_eq!(String::from_utf8_lossy(&parsed.text), kept, "{text}");
    }
}

#[test]
fn what_is_nested_too_deeply_is_refused_and_dropped_on_a_small_stack() {
    let n = 20_000;
    for text in [
        format!("SELECT 1{}", " + 1".repeat(n)),
        format!("SELECT 1{}", " = 1".repeat(n)),
        format!("SELECT 1{}", " XOR 1".repeat(n)),
        format!("SELECT 1{}", " IS NULL".repeat(n)),
        format!("SELECT {}1", "NOT ".repeat(n)),
        format!("SELECT {}1", "- ".repeat(n)),
        format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("SELECT {}1{}", "ABS(".repeat(n), ")".repeat(n)),
        format!("SELECT {}1{}", "(SELECT ".repeat(n), ")".repeat(n)),
        format!(
            "SELECT {}1{}",
            "CASE WHEN 1 THEN ".repeat(n),
            " END".repeat(n)
        ),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(n)),
        format!("SELECT 1{}", " OR 1".repeat(60_000)),
        format!("SELECT 1{}", " BETWEEN 0 AND 1".repeat(300)),
        format!("SELECT {}1{}", "NULLIF(".repeat(300), ", 1)".repeat(300)),
        // Chains inside of chains: each short enough, all together not.
        format!("SELECT {}1{}", "(1 + 1 + 1 + ".repeat(390), ")".repeat(390)),
        format!("SELECT {}1{}", "(".repeat(300), " + 1 + 1 + 1)".repeat(300)),
        format!(
            "SELECT {}1{}",
            "(SELECT ".repeat(300),
            " + 1 + 1 + 1)".repeat(300)
        ),
        format!("CREATE TABLE t (a INT DEFAULT (1{}))", " + 1".repeat(800)),
    ] {
        let start: String = text.chars().take(40).collect();
        match parse(text.as_bytes(), &ParseOptions::default()) {
            Err(error) => assert!([1436, 1473, 1064].contains(&error.code), "{start}: {error}"),
            // The right sides nest, the chain does not.
            Ok(_) => assert!(start.contains("(1 + 1 + 1"), "{start}"),
        }
    }
}

#[test]
fn chains_of_and_and_or_may_be_long() {
    let terms = "a = 1 OR b = 2 AND c = 3 OR ".repeat(10_000);
    for text in [
        format!("SELECT * FROM t WHERE {terms} TRUE"),
        format!("UPDATE t SET a = 1 WHERE {terms} TRUE"),
        format!("DELETE FROM t WHERE NOT ({terms} TRUE)"),
        format!("DO {terms} TRUE"),
    ] {
        let parsed = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
        assert!(parsed.statement.access().is_ok());
    }
    let balanced = expression(&format!("{} a", "1 OR 0 OR ".repeat(3)));
    assert_eq!(balanced.matches("OR").count(), 6, "{balanced}");
    assert_eq!(expression("a OR b OR c"), "((a OR b) OR c)");
}

#[test]
fn a_statement_of_too_many_words_is_refused() {
    let text = format!("SELECT 1{}", ",1".repeat(600_000));
    let error = parse(text.as_bytes(), &ParseOptions::default()).unwrap_err();
    assert_eq!(error.code, 3170);
}

#[test]
fn nuls_and_comments_are_read_once() {
    let n = 1 << 17;
    for text in [
        format!("SELECT 1 {}x", "\0".repeat(n)),
        format!("SELECT 1 {}", "/*!99999 ".repeat(n)),
        format!("SELECT 1 {}", "/* ".repeat(n)),
        format!("SELECT 1 {}", ";".repeat(n)),
    ] {
        // Whatever it is, it does not take an hour or the stack.
        let _ = parse(text.as_bytes(), &ParseOptions::default());
        let _ = has_statement(text.as_bytes(), &ParseOptions::default());
    }
}

#[test]
fn a_bit_literal_may_have_any_number_of_digits() {
    let digits = "1".repeat(70_001);
    statement(&format!("SELECT b'{digits}', _binary b'{digits}'"));
    let bytes = bytes_of_bits(&digits).unwrap();
    assert_eq!(
        (bytes.len(), bytes.first(), bytes.last()),
        (8751, Some(&1), Some(&0xff))
    );
    assert_eq!(bytes_of_bits("101010101"), Some(vec![1, 0x55]));
    assert_eq!(bytes_of_bits(""), Some(vec![]));
    assert_eq!(bytes_of_bits("12"), None);
}

#[test]
fn a_conversion_has_no_equals_sign() {
    statement("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    for text in [
        "ALTER TABLE t CONVERT TO CHARACTER SET = utf8mb4",
        "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE = utf8mb4_bin",
    ] {
        assert!(error(text).contains("near '= utf8mb4"), "{text}");
    }
}

#[test]
fn one_value_of_a_row_has_no_more_words_than_a_statement() {
    for value in ["1 ", "1+"] {
        let text = format!("INSERT INTO t VALUES ({}1)", value.repeat(300_000));
        let error = parse(text.as_bytes(), &ParseOptions::default()).unwrap_err();
        assert_eq!(error.code, 3170, "{value}");
    }
}

#[test]
fn rows_that_are_inserted_are_part_of_no_query() {
    let parsed = |text: &str| parse(text.as_bytes(), &ParseOptions::default());
    for rest in [
        "UNION SELECT 2",
        "EXCEPT SELECT 2",
        "INTERSECT VALUES ROW(1)",
        "ORDER BY 1",
        "LIMIT 1",
        "FOR UPDATE",
        "FETCH FIRST ROW ONLY",
    ] {
        for verb in ["INSERT", "REPLACE"] {
            let error = parsed(&format!("{verb} INTO t VALUES (1), (2) {rest}")).unwrap_err();
            assert_eq!(error.code, 1064, "{rest}");
            let near = format!("near '{rest}' at line 1");
            assert!(error.message.contains(&near), "{}", error.message);
        }
    }
    for rest in ["", ";", "AS n", "ON DUPLICATE KEY UPDATE a = 1", "/* */"] {
        parsed(&format!("INSERT INTO t VALUES (1), (2) {rest}")).unwrap();
    }
}
