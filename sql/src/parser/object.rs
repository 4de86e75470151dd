//! Statements about objects that are not built: views, what has a body, roles, what servers keep files
//! and plugins in. They are read as far as the name of the object.

use crate::ast::{ObjectNames, ObjectStatement};
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

/// The same of what only MariaDB has.
const OF_MARIADB: [(&str, &[&str], &str); 9] = [
    ("CREATE", &["SEQUENCE"], "CREATE SEQUENCE"),
    ("ALTER", &["SEQUENCE"], "ALTER SEQUENCE"),
    ("DROP", &["SEQUENCE"], "DROP SEQUENCE"),
    ("CREATE", &["PACKAGE", "BODY"], "CREATE PACKAGE BODY"),
    ("CREATE", &["PACKAGE"], "CREATE PACKAGE"),
    ("ALTER", &["PACKAGE", "BODY"], "ALTER PACKAGE BODY"),
    ("ALTER", &["PACKAGE"], "ALTER PACKAGE"),
    ("DROP", &["PACKAGE", "BODY"], "DROP PACKAGE BODY"),
    ("DROP", &["PACKAGE"], "DROP PACKAGE"),
];

/// Objects whose definitions hold statements, semicolons included.
pub(super) const WITH_BODY: [&str; 6] = [
    "TRIGGER",
    "PROCEDURE",
    "FUNCTION",
    "EVENT",
    "LIBRARY",
    "PACKAGE",
];

impl Cursor<'_> {
    /// Behind `verb` and what may stand in front of the object: fails by name if the statement is
    /// about one of these objects and names it, and reads nothing otherwise.
    pub(super) fn refuse_object(&mut self, verb: &str) -> Parse<()> {
        let start = self.at;
        let found = OBJECTS
            .iter()
            .find(|(of, words, _)| *of == verb && self.are_words(words));
        let own = OF_MARIADB
            .iter()
            .find(|(of, words, _)| self.is_mariadb() && *of == verb && self.are_words(words));
        let Some((_, words, construct)) = found.or(own) else {
            return Ok(());
        };
        self.accept_all(words);
        if !self.accept_all(&["IF", "NOT", "EXISTS"]) {
            self.accept_all(&["IF", "EXISTS"]);
        }
        let Some(names) = self.names_of_object(verb, words) else {
            self.at = start;
            return Ok(());
        };
        let has_body = verb != "DROP" && words.iter().any(|word| WITH_BODY.contains(word));
        Err(object(construct, names, has_body))
    }

    /// What is said of names that tables share; `None` where no name follows.
    fn names_of_object(&mut self, verb: &str, words: &[&str]) -> Option<ObjectNames> {
        match words {
            ["VIEW"] => self.table_name().ok().map(ObjectNames::View),
            ["SEQUENCE"] if verb == "DROP" => {
                let names = self.list(Self::table_name).ok();
                names.map(ObjectNames::NoSequences)
            }
            ["SEQUENCE"] => self.table_name().ok().map(ObjectNames::Sequence),
            _ => {
                let is_name = matches!(
                    self.peek(),
                    Kind::Word(_) | Kind::Quoted(_) | Kind::String(_) | Kind::Integer(_)
                );
                is_name.then_some(ObjectNames::None)
            }
        }
    }
}

/// The failure "about an object that is not built".
pub(super) fn refuse_as_object<T>(construct: &'static str) -> Parse<T> {
    Err(object(construct, ObjectNames::None, false))
}

fn object(construct: &'static str, names: ObjectNames, has_body: bool) -> Failure {
    Failure::Object(ObjectStatement {
        construct,
        names,
        has_body,
    })
}
