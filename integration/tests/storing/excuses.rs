//! What stays different, each with its reason and a case that shows it: a reason that explains
//! nothing any more fails the test. docs/COMPATIBILITY.md says the same to users.

/// A difference that stays.
pub(crate) struct Excuse {
    pub(crate) name: &'static str,
    /// Column and value of a case that shows it.
    pub(crate) column: &'static str,
    pub(crate) value: &'static str,
    /// Whether rows may differ.
    pub(crate) stores: bool,
    /// Whether it explains what a statement came to on MySQL and on Weir.
    pub(crate) explains: fn(&str, &str, &str) -> bool,
}

pub(crate) const EXCUSES: &[Excuse] = &[
    // A document keeps dates as MySQL's JSON type does only while it is computed: here they are
    // strings from the start, and strings are read as numbers and dates.
    Excuse {
        name: "dates inside of documents are strings",
        column: "DECIMAL(18,6)",
        value: "CAST(CAST('2001-01-01' AS DATE) AS JSON)",
        stores: true,
        explains: |statement, _, _| statement.contains("AS DATE) AS JSON)"),
    },
    // MySQL names the function that made the document.
    Excuse {
        name: "error 3156 names the column",
        column: "INT",
        value: "CAST('null' AS JSON)",
        stores: false,
        explains: |_, theirs, ours| {
            let cut = |text: &str| without(text, " from column ", " at row ");
            theirs.contains("3156") && cut(theirs) == cut(ours)
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
