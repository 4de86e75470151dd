//! Statements about objects that are not built: views, what has a body, roles, what servers keep files
//! and plugins in. They are read as far as the name of the object.

use crate::ast::{ObjectStatement, TableName};
use crate::cursor::{Cursor, Failure, Parse};
use crate::lexer::Kind;

/// Verb, object and name of each.
const OBJECTS: [(&str, &[&str], &str); 37] = [
    ("CREATE", &["VIEW"], "CREATE VIEW"),
    ("ALTER", &["VIEW"], "ALTER VIEW"),
    ("CREATE", &["TRIGGER"], "CREATE TRIGGER"),
    ("DROP", &["TRIGGER"], "DROP TRIGGER"),
    ("CREATE", &["PROCEDURE"], "CREATE PROCEDURE"),
    ("ALTER", &["PROCEDURE"], "ALTER PROCEDURE"),
    ("DROP", &["PROCEDURE"], "DROP PROCEDURE"),
    ("CREATE", &["FUNCTION"], "CREATE FUNCTION"),
    ("CREATE", &["AGGREGATE", "FUNCTION"], "CREATE FUNCTION"),
    ("ALTER", &["FUNCTION"], "ALTER FUNCTION"),
    ("DROP", &["FUNCTION"], "DROP FUNCTION"),
    ("CREATE", &["EVENT"], "CREATE EVENT"),
    ("ALTER", &["EVENT"], "ALTER EVENT"),
    ("DROP", &["EVENT"], "DROP EVENT"),
    ("CREATE", &["LIBRARY"], "CREATE LIBRARY"),
    ("ALTER", &["LIBRARY"], "ALTER LIBRARY"),
    ("DROP", &["LIBRARY"], "DROP LIBRARY"),
    ("CREATE", &["ROLE"], "CREATE ROLE"),
    ("DROP", &["ROLE"], "DROP ROLE"),
    ("CREATE", &["SERVER"], "CREATE SERVER"),
    ("ALTER", &["SERVER"], "ALTER SERVER"),
    ("DROP", &["SERVER"], "DROP SERVER"),
    ("CREATE", &["TABLESPACE"], "CREATE TABLESPACE"),
    ("ALTER", &["TABLESPACE"], "ALTER TABLESPACE"),
    ("DROP", &["TABLESPACE"], "DROP TABLESPACE"),
    ("CREATE", &["UNDO", "TABLESPACE"], "CREATE TABLESPACE"),
    ("ALTER", &["UNDO", "TABLESPACE"], "ALTER TABLESPACE"),
    ("DROP", &["UNDO", "TABLESPACE"], "DROP TABLESPACE"),
    ("CREATE", &["LOGFILE", "GROUP"], "CREATE LOGFILE GROUP"),
    ("ALTER", &["LOGFILE", "GROUP"], "ALTER LOGFILE GROUP"),
    ("DROP", &["LOGFILE", "GROUP"], "DROP LOGFILE GROUP"),
    (
        "CREATE",
        &["SPATIAL", "REFERENCE", "SYSTEM"],
        "CREATE SPATIAL REFERENCE SYSTEM",
    ),
    (
        "DROP",
        &["SPATIAL", "REFERENCE", "SYSTEM"],
        "DROP SPATIAL REFERENCE SYSTEM",
    ),
    ("INSTALL", &["PLUGIN"], "INSTALL PLUGIN"),
    ("INSTALL", &["COMPONENT"], "INSTALL COMPONENT"),
    ("UNINSTALL", &["PLUGIN"], "UNINSTALL PLUGIN"),
    ("UNINSTALL", &["COMPONENT"], "UNINSTALL COMPONENT"),
];

/// Objects whose definitions hold statements, semicolons included.
pub(super) const WITH_BODY: [&str; 5] = ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "LIBRARY"];

impl Cursor<'_> {
    /// Behind `verb` and what may stand in front of the object: fails by name if the statement is
    /// about one of these objects and names it, and reads nothing otherwise.
    pub(super) fn refuse_object(&mut self, verb: &str) -> Parse<()> {
        let start = self.at;
        let found = OBJECTS
            .iter()
            .find(|(of, words, _)| *of == verb && self.are_words(words));
        let Some((_, words, construct)) = found else {
            return Ok(());
        };
        self.accept_all(words);
        if !self.accept_all(&["IF", "NOT", "EXISTS"]) {
            self.accept_all(&["IF", "EXISTS"]);
        }
        let is_view = *words == ["VIEW"];
        let mut view = None;
        let has_name = match is_view {
            true => {
                view = self.table_name().ok();
                view.is_some()
            }
            false => matches!(
                self.peek(),
                Kind::Word(_) | Kind::Quoted(_) | Kind::String(_) | Kind::Integer(_)
            ),
        };
        if !has_name {
            self.at = start;
            return Ok(());
        }
        let has_body = verb != "DROP" && words.iter().any(|word| WITH_BODY.contains(word));
        Err(object(construct, view, has_body))
    }
}

/// The failure "about an object that is not built".
pub(super) fn refuse_as_object<T>(construct: &'static str) -> Parse<T> {
    Err(object(construct, None, false))
}

fn object(construct: &'static str, view: Option<TableName>, has_body: bool) -> Failure {
    Failure::Object(ObjectStatement {
        construct,
        view,
        has_body,
    })
}
