//! CHANGE REPLICATION FILTER: rules in the place of others.
//!
//! Each rule that a statement names takes the place of all of its name, and the last one counts if it
//! names one twice (MySQL 8.4 Reference Manual, 15.4.2.2).

use config::ReplicationFilter;
use config::filter::{DatabaseRewrite, TableName, WildTable};
use sql::ast::{ReplicationFilterRule, TablePattern};
use sql::error::SqlError;

/// The rules after a statement.
///
/// # Errors
/// 3067 for a pattern that is no `db.table`.
pub(crate) fn change(
    present: &ReplicationFilter,
    rules: &[ReplicationFilterRule],
) -> Result<ReplicationFilter, SqlError> {
    let mut changed = present.clone();
    for rule in rules {
        match rule {
            ReplicationFilterRule::DoDb(names) => changed.do_db.clone_from(names),
            ReplicationFilterRule::IgnoreDb(names) => changed.ignore_db.clone_from(names),
            ReplicationFilterRule::DoTable(names) => {
                changed.do_table = names.iter().map(table).collect();
            }
            ReplicationFilterRule::IgnoreTable(names) => {
                changed.ignore_table = names.iter().map(table).collect();
            }
            ReplicationFilterRule::WildDoTable(patterns) => {
                changed.wild_do_table = wild(patterns)?;
            }
            ReplicationFilterRule::WildIgnoreTable(patterns) => {
                changed.wild_ignore_table = wild(patterns)?;
            }
            ReplicationFilterRule::RewriteDb(pairs) => {
                let rewrite = |(from, to): &(String, String)| DatabaseRewrite {
                    from: from.clone(),
                    to: to.clone(),
                };
                changed.rewrite_db = pairs.iter().map(rewrite).collect();
            }
        }
    }
    Ok(changed)
}

fn table(name: &TablePattern) -> TableName {
    TableName {
        database: name.database.clone(),
        table: name.table.clone(),
    }
}

fn wild(patterns: &[String]) -> Result<Vec<WildTable>, SqlError> {
    let read = |pattern: &String| {
        WildTable::parse(pattern).ok_or_else(|| {
            let text = "Supplied filter list contains a value which is not in the required format \
                        'db_pattern.table_pattern'";
            SqlError::new(3067, "HY000", text)
        })
    };
    patterns.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use sql::ast::{Replication, Statement};
    use sql::{ParseOptions, parse};

    use super::*;

    fn changed(present: &ReplicationFilter, rules: &str) -> Result<ReplicationFilter, u16> {
        let sql = format!("CHANGE REPLICATION FILTER {rules}");
        let parsed = parse(sql.as_bytes(), &ParseOptions::default()).map_err(|error| error.code)?;
        let Statement::Replication(Replication::ChangeReplicationFilter { rules, .. }) =
            &parsed.statement
        else {
            panic!("{sql}");
        };
        change(present, rules).map_err(|error| error.code)
    }

    #[test]
    fn a_rule_takes_the_place_of_those_of_its_name_and_of_no_others() {
        let first = changed(
            &ReplicationFilter::default(),
            "REPLICATE_DO_DB = (a, b), REPLICATE_IGNORE_TABLE = (`d.1`.t, d.T), \
             REPLICATE_WILD_IGNORE_TABLE = ('x%.y\\_%'), REPLICATE_REWRITE_DB = ((a, b), (c, d))",
        )
        .unwrap();
        assert_eq!(first.do_db, ["a", "b"]);
        assert_eq!(first.ignore_table.len(), 2);
        assert!(first.ignore_table.iter().any(|name| name.database == "d.1"));
        assert_eq!(first.wild_ignore_table.len(), 1);
        assert_eq!(first.rewrite("a"), "b");
        let second = changed(
            &first,
            "REPLICATE_DO_DB = (x), REPLICATE_DO_DB = (c), REPLICATE_IGNORE_TABLE = ()",
        )
        .unwrap();
        assert_eq!(second.do_db, ["c"]);
        assert!(second.ignore_table.is_empty());
        assert_eq!(second.rewrite_db, first.rewrite_db);
    }

    #[test]
    fn what_mysql_refuses_is_refused() {
        for (rules, code) in [
            ("REPLICATE_WILD_DO_TABLE = ('a.b%', 'x')", 3067),
            ("REPLICATE_WILD_DO_TABLE = (d.t)", 1064),
            ("REPLICATE_DO_TABLE = (t)", 1064),
            ("REPLICATE_DO_TABLE = ('d.t')", 1064),
            ("REPLICATE_DO_DB = ('a')", 1064),
            ("REPLICATE_DO_DB = (a.b)", 1064),
            ("REPLICATE_REWRITE_DB = ((a, b), (c))", 1064),
            ("REPLICATE_REWRITE_DB = (a, b)", 1064),
            ("REPLICATE_SOMETHING = (a)", 1064),
        ] {
            let found = changed(&ReplicationFilter::default(), rules);
            assert_eq!(found.unwrap_err(), code, "{rules}");
        }
    }
}
