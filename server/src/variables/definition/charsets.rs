//! Character sets, collations, languages and time zones.

use super::Access::{Dynamic, Inert, Pinned, ReadOnly};
use super::Kind::{Charset, Collation, Text, TimeZone};
use super::Scope::{Both, Global};
use super::{Definition, variable};

pub(super) const CHARSETS: &[Definition] = &[
    variable("character_set_client", Both, Charset, Dynamic, "utf8mb4"),
    variable(
        "character_set_connection",
        Both,
        Charset,
        Dynamic,
        "utf8mb4",
    ),
    variable("character_set_database", Both, Charset, Inert, "utf8mb4"),
    variable("character_set_filesystem", Both, Charset, Inert, "binary"),
    variable("character_set_results", Both, Charset, Dynamic, "utf8mb4"),
    variable("character_set_server", Both, Charset, Dynamic, "utf8mb4"),
    variable("character_set_system", Global, Charset, ReadOnly, "utf8mb3"),
    variable(
        "collation_connection",
        Both,
        Collation,
        Dynamic,
        "utf8mb4_0900_ai_ci",
    ),
    variable(
        "collation_database",
        Both,
        Collation,
        Inert,
        "utf8mb4_0900_ai_ci",
    ),
    variable(
        "collation_server",
        Both,
        Collation,
        Dynamic,
        "utf8mb4_0900_ai_ci",
    ),
    variable(
        "default_collation_for_utf8mb4",
        Both,
        Collation,
        Dynamic,
        "utf8mb4_0900_ai_ci",
    ),
    variable("lc_messages", Both, Text, Inert, "en_US"),
    variable("lc_time_names", Both, Text, Pinned, "en_US"),
    variable("system_time_zone", Global, Text, ReadOnly, "UTC"),
    variable("time_zone", Both, TimeZone, Dynamic, "SYSTEM"),
];
