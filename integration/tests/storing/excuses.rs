//! What stays different, each with its reason and a case that shows it: a reason that explains
//! nothing any more fails the test. docs/COMPATIBILITY.md says the same to users.

/// What a value came to on MySQL and on Weir.
pub(crate) struct Seen<'s> {
    pub(crate) statement: &'s str,
    pub(crate) theirs: &'s str,
    pub(crate) ours: &'s str,
}

/// A difference that stays.
pub(crate) struct Excuse {
    pub(crate) name: &'static str,
    /// Column and value of a case that shows it.
    pub(crate) column: &'static str,
    pub(crate) value: &'static str,
    /// Whether rows may differ.
    pub(crate) stores: bool,
    /// Whether it explains what a statement came to on MySQL and on Weir.
    pub(crate) explains: fn(&Seen<'_>) -> bool,
}

pub(crate) const EXCUSES: &[Excuse] = &[
    // A document keeps dates as MySQL's JSON type does only while it is computed: here they are
    // strings from the start, and strings are read as numbers and dates.
    Excuse {
        name: "dates inside of documents are strings",
        column: "DECIMAL(18,6)",
        value: "CAST(CAST('2001-01-01' AS DATE) AS JSON)",
        stores: true,
        explains: |seen| seen.statement.contains("AS DATE) AS JSON)"),
    },
    // Likewise exact numbers, which are doubles from the start.
    Excuse {
        name: "exact numbers inside of documents are doubles",
        column: "JSON",
        value: "JSON_OBJECT('a', 1.50)",
        stores: true,
        explains: |seen| {
            seen.theirs.contains("1.50") && seen.theirs.replace("1.50", "1.5") == seen.ours
        },
    },
    // MySQL names the function that made the document.
    Excuse {
        name: "error 3156 names the column",
        column: "INT",
        value: "CAST('null' AS JSON)",
        stores: false,
        explains: |seen| {
            let cut = |text: &str| without(text, " from column ", " at row ");
            seen.theirs.contains("3156") && cut(seen.theirs) == cut(seen.ours)
        },
    },
    // MySQL shows the bytes of the character set that the text came in.
    Excuse {
        name: "error 1366 shows text as UTF-8",
        column: "CHAR(20) CHARACTER SET ascii",
        value: "_latin1 X'E92061'",
        stores: false,
        explains: |seen| {
            let cut = |text: &str| without(text, "Incorrect string value: ", " for column ");
            let is_other = seen.statement.contains("_latin1") || seen.statement.contains(" FROM ");
            is_other && cut(seen.theirs) == cut(seen.ours)
        },
    },
];

/// A text without what stands between two marks, wherever they occur.
fn without(text: &str, start: &str, end: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(start) {
        let Some((_, behind)) = after.split_once(end) else {
            break;
        };
        kept.push_str(before);
        kept.push_str(start);
        rest = behind;
    }
    kept + rest
}
