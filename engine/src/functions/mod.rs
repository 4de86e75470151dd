//! MySQL's functions, by group; each table lists names, arguments, result types and evaluation.
//!
//! A function that is not here does not exist (error 1305), unless it is one that MySQL has and this
//! version lacks: then it is refused by name with 1235.

mod arithmetic;
mod date;
mod date_format;
mod hash;
mod interval;
pub mod json;
mod json_functions;
mod json_path;
mod locking;
mod math;
mod network;
mod pattern;
mod replication;
mod string;
mod string_code;
mod string_list;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::expr::aggregate::Aggregate;
use crate::expr::function::Function;

static TABLE: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let groups = [
        arithmetic::FUNCTIONS,
        date::FUNCTIONS,
        date_format::FUNCTIONS,
        hash::FUNCTIONS,
        locking::FUNCTIONS,
        interval::FUNCTIONS,
        json_functions::FUNCTIONS,
        math::FUNCTIONS,
        network::FUNCTIONS,
        pattern::FUNCTIONS,
        replication::FUNCTIONS,
        string::FUNCTIONS,
        string_list::FUNCTIONS,
        #[cfg(test)]
        tests::FUNCTIONS,
    ];
    groups
        .iter()
        .flat_map(|group| group.iter())
        .map(|function| (function.name, function))
        .collect()
});

/// Other names of functions in the table.
const ALIASES: &[(&str, &str)] = &[
    ("ceil", "ceiling"),
    ("character_length", "char_length"),
    ("day", "dayofmonth"),
    ("adddate", "date_add"),
    ("lcase", "lower"),
    ("mid", "substr"),
    ("mod", "%"),
    ("octet_length", "length"),
    ("power", "pow"),
    ("schema", "database"),
    ("sha", "sha1"),
    ("subdate", "date_sub"),
    ("substring", "substr"),
    ("ucase", "upper"),
    ("rlike", "regexp_like"),
];

/// The function of this name, in lower case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    let own = ALIASES
        .iter()
        .find(|(alias, _)| *alias == name)
        .map_or(name, |(_, own)| own);
    TABLE.get(own).copied()
}

/// The aggregate of this name.
#[must_use]
pub fn aggregate(name: &str) -> Option<Aggregate> {
    let variance = |sample, root| Aggregate::Variance { sample, root };
    Some(match name {
        "count" => Aggregate::Count,
        "sum" => Aggregate::Sum,
        "avg" => Aggregate::Avg,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "bit_and" => Aggregate::BitAnd,
        "bit_or" => Aggregate::BitOr,
        "bit_xor" => Aggregate::BitXor,
        "std" | "stddev" | "stddev_pop" => variance(false, true),
        "stddev_samp" => variance(true, true),
        "variance" | "var_pop" => variance(false, false),
        "var_samp" => variance(true, false),
        "group_concat" => Aggregate::GroupConcat,
        "json_arrayagg" => Aggregate::JsonArray,
        "json_objectagg" => Aggregate::JsonObject,
        "any_value" => Aggregate::AnyValue,
        _ => return None,
    })
}

/// Functions of MySQL that this version does not have.
const LATER: &[&str] = &[
    "aes_decrypt",
    "aes_encrypt",
    "benchmark",
    "compress",
    "export_set",
    "get_format",
    "json_overlaps",
    "json_pretty",
    "json_schema_valid",
    "json_search",
    "json_storage_size",
    "json_table",
    "json_value",
    "load_file",
    "match",
    "roles_graphml",
    "soundex",
    "source_pos_wait",
    "master_pos_wait",
    "statement_digest",
    "uncompress",
    "weight_string",
    "wait_for_executed_gtid_set",
    "row_number",
    "rank",
    "dense_rank",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
    "ntile",
    "cume_dist",
    "percent_rank",
    "grouping",
    "st_astext",
    "st_geomfromtext",
    "validate_password_strength",
];

/// Whether MySQL has a function of this name for shapes, which are stored here but not computed with.
#[must_use]
pub fn is_spatial(name: &str) -> bool {
    const MAKERS: [&str; 8] = [
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "geomcollection",
    ];
    name.starts_with("st_") || name.starts_with("mbr") || MAKERS.contains(&name)
}

/// Whether MySQL has a function of this name that this version lacks.
#[must_use]
pub fn is_reserved_for_later(name: &str) -> bool {
    LATER.contains(&name)
}
