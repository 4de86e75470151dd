//! Connections: addresses, TLS, logins, packets and how long to wait for them.

use super::Access::{Dynamic, Inert, Pinned, ReadOnly};
use super::Kind::{Choice, Flag, NullableText, Text};
use super::Scope::{Both, Global, Session};
use super::{Definition, YEAR, between, up_to, variable};

pub(super) const CONNECTIONS: &[Definition] = &[
    variable("activate_all_roles_on_login", Global, Flag, ReadOnly, "OFF"),
    variable("automatic_sp_privileges", Global, Flag, ReadOnly, "OFF"),
    variable("bind_address", Global, Text, ReadOnly, "*"),
    variable("connect_timeout", Global, between(2, YEAR), Dynamic, "10"),
    variable(
        "default_authentication_plugin",
        Global,
        Text,
        ReadOnly,
        "caching_sha2_password",
    ),
    variable("have_ssl", Global, Text, ReadOnly, "YES"),
    variable("init_connect", Global, Text, ReadOnly, ""),
    variable(
        "interactive_timeout",
        Both,
        between(1, YEAR),
        Dynamic,
        "28800",
    ),
    variable("local_infile", Global, Flag, ReadOnly, "OFF"),
    variable(
        "max_allowed_packet",
        Both,
        between(1024, 1_073_741_824),
        ReadOnly,
        "67108864",
    ),
    variable(
        "max_connections",
        Global,
        between(1, 100_000),
        Dynamic,
        "151",
    ),
    variable(
        "max_prepared_stmt_count",
        Global,
        up_to(4_194_304),
        Dynamic,
        "16382",
    ),
    variable(
        "net_buffer_length",
        Both,
        between(1024, 1_048_576),
        Inert,
        "16384",
    ),
    variable("net_read_timeout", Both, between(1, YEAR), Dynamic, "30"),
    variable("net_retry_count", Both, up_to(u64::MAX), Inert, "10"),
    variable("net_write_timeout", Both, between(1, YEAR), Dynamic, "60"),
    variable("port", Global, up_to(65_535), ReadOnly, "3306"),
    variable("protocol_version", Global, up_to(10), ReadOnly, "10"),
    variable("pseudo_thread_id", Session, up_to(u64::MAX), Dynamic, "0"),
    variable("require_secure_transport", Global, Flag, ReadOnly, "OFF"),
    variable(
        "resultset_metadata",
        Session,
        Choice(&["NONE", "FULL"]),
        Pinned,
        "FULL",
    ),
    variable("session_track_schema", Both, Flag, Inert, "ON"),
    variable("session_track_state_change", Both, Flag, Inert, "OFF"),
    variable("skip_name_resolve", Global, Flag, ReadOnly, "ON"),
    variable("skip_networking", Global, Flag, ReadOnly, "OFF"),
    variable("socket", Global, NullableText, ReadOnly, ""),
    variable("ssl_ca", Global, NullableText, ReadOnly, ""),
    variable("ssl_cert", Global, NullableText, ReadOnly, ""),
    variable("ssl_key", Global, NullableText, ReadOnly, ""),
    variable("thread_cache_size", Global, up_to(16_384), ReadOnly, "9"),
    variable("tls_version", Global, Text, ReadOnly, "TLSv1.2,TLSv1.3"),
    variable("wait_timeout", Both, between(1, YEAR), Dynamic, "28800"),
];
