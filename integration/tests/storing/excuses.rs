//! What stays different, each with its reason and a case that shows it: a reason that explains
//! nothing any more fails the test. docs/COMPATIBILITY.md says the same to users.

/// What a value came to on MySQL and on Weir.
pub(crate) struct Seen<'s> {
    /// Type of the column.
    pub(crate) column: &'s str,
    pub(crate) statement: &'s str,
    /// The parameter, if it is a text.
    pub(crate) parameter: Option<&'s str>,
    pub(crate) theirs: &'s str,
    pub(crate) ours: &'s str,
}

/// A difference that stays.
pub(crate) struct Excuse {
    pub(crate) name: &'static str,
    /// Column and value of a case that shows it.
    pub(crate) column: &'static str,
    pub(crate) value: &'static str,
    /// Whether the value is the text of a parameter, and not an expression.
    pub(crate) is_parameter: bool,
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
        is_parameter: false,
        stores: true,
        explains: |seen| seen.statement.contains("AS DATE) AS JSON)"),
    },
    // Likewise exact numbers, which are doubles from the start.
    Excuse {
        name: "exact numbers inside of documents are doubles",
        column: "JSON",
        value: "JSON_OBJECT('a', 1.50)",
        is_parameter: false,
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
        is_parameter: false,
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
        is_parameter: false,
        stores: false,
        explains: |seen| {
            let cut = |text: &str| without(text, "Incorrect string value: ", " for column ");
            let is_other = seen.statement.contains("_latin1") || seen.statement.contains(" FROM ");
            is_other && cut(seen.theirs) == cut(seen.ours)
        },
    },
    // MySQL reads such a parameter as one of several types, by how it was prepared.
    Excuse {
        name: "parameters with an exponent that no DECIMAL has",
        column: "DECIMAL(5,2)",
        value: "1e-4294967296",
        is_parameter: true,
        stores: true,
        explains: |seen| {
            let is_exact = seen.column.starts_with("DECIMAL")
                || seen.column.starts_with("BIT")
                || seen.column.contains("INT");
            is_exact && seen.parameter.is_some_and(has_great_exponent)
        },
    },
];

/// Whether a number is written with an exponent that takes it beyond the digits of a DECIMAL.
fn has_great_exponent(text: &str) -> bool {
    let exponent = text.split(['e', 'E']).nth(1).unwrap_or_default();
    let digits = exponent.trim_start_matches(['+', '-']);
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').len() > 2
}

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
