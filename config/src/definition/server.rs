//! Options of the face both roles show: data directory, network, accounts, sessions, SQL defaults.

use super::{Definition, Kind, ListOf};

const SQL_MODE: &str = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

pub(super) const SERVER: &[Definition] = &[
    Definition::path(
        "datadir",
        "weir-primary",
        "Directory of the data, the logs and the state; made if missing. A relative one is taken \
         from the current directory.",
    )
    .on_replica("weir-replica"),
    Definition::flag(
        "initialize",
        "OFF",
        "Make a new data directory with an account root@localhost whose random password is written \
         to a file only the owner can read, then end.",
    ),
    Definition::flag(
        "initialize_insecure",
        "OFF",
        "The same with an empty root password; when the data directory is already initialised \
         nothing happens.",
    ),
    Definition::flag(
        "persisted_globals_load",
        "ON",
        "Whether what SET PERSIST kept in mysqld-auto.cnf counts at a start. The file is read in \
         any case: a damaged one is refused.",
    ),
    Definition::unsigned(
        "server_id",
        (0, 4_294_967_295),
        "1",
        "Number of this server in the replication topology; every server needs its own. 0 refuses \
         replication in both directions.",
    ),
    Definition::unsigned(
        "port",
        (0, 65_535),
        "3306",
        "TCP port. Differs from MySQL: 0 takes any free port and names it in the log.",
    ),
    Definition::new(
        "bind_address",
        Kind::List(ListOf::Addresses),
        "*",
        "Addresses to listen on, separated by commas; `*` is every IPv4 and IPv6 address.",
    ),
    Definition::path(
        "socket",
        "mysql.sock",
        "Unix socket; empty for none. A relative one is taken from the data directory.",
    ),
    Definition::text(
        "version",
        "8.4.6-weir",
        "The version shown to clients, which decide by its number what they may send.",
    ),
    Definition::unsigned(
        "max_connections",
        (1, 100_000),
        "151",
        "Client sessions at one time; one more is kept for an account with CONNECTION_ADMIN.",
    )
    .reloads(),
    Definition::size(
        "max_allowed_packet",
        (1024, 1 << 30),
        1024,
        "67108864",
        "Largest statement or value accepted from a client, in bytes.",
    ),
    Definition::unsigned(
        "wait_timeout",
        (1, 31_536_000),
        "28800",
        "Seconds after which an idle session is closed.",
    ),
    Definition::unsigned(
        "interactive_timeout",
        (1, 31_536_000),
        "28800",
        "The same for sessions of interactive clients.",
    ),
    Definition::unsigned(
        "innodb_lock_wait_timeout",
        (1, 1_073_741_824),
        "50",
        "Seconds a statement waits for another transaction before error 1205.",
    ),
    Definition::unsigned(
        "idle_transaction_timeout",
        (0, 31_536_000),
        "300",
        "Seconds after which a session that is idle inside a transaction is closed and rolled \
         back; 0 never. Weir's own.",
    ),
    Definition::choice(
        "character_set_server",
        CHARACTER_SETS,
        CHARACTER_SETS,
        "utf8mb4",
        "Character set of new databases.",
    ),
    Definition::text(
        "collation_server",
        "",
        "Collation of new databases; by default that of the character set \
         (utf8mb4_0900_ai_ci for utf8mb4). MariaDB replicas know utf8mb4_general_ci, not \
         utf8mb4_0900_ai_ci.",
    ),
    Definition::text(
        "default_time_zone",
        "SYSTEM",
        "Time zone of new sessions: SYSTEM or an offset such as +02:00.",
    ),
    Definition::text(
        "sql_mode",
        SQL_MODE,
        "SQL modes of new sessions, separated by commas.",
    ),
    Definition::choice(
        "default_storage_engine",
        &["InnoDB"],
        &["InnoDB"],
        "InnoDB",
        "The storage engine shown in SHOW CREATE TABLE; there is one.",
    ),
    Definition::unsigned(
        "lower_case_table_names",
        (0, 0),
        "0",
        "Names of databases and tables keep their case and are told apart by it.",
    ),
    Definition::flag(
        "read_only",
        "OFF",
        "Refuse changes by accounts without CONNECTION_ADMIN. A replica is always read-only.",
    )
    .on_replica("ON")
    .reloads(),
    Definition::flag(
        "super_read_only",
        "OFF",
        "Refuse changes by every account; implies read_only.",
    )
    .on_replica("ON")
    .reloads(),
    Definition::choice(
        "default_authentication_plugin",
        &[
            "mysql_native_password",
            "sha256_password",
            "caching_sha2_password",
        ],
        &["caching_sha2_password", "mysql_native_password"],
        "caching_sha2_password",
        "How accounts made without IDENTIFIED WITH log in.",
    ),
    Definition::path("ssl_cert", "", "The server's certificate chain (PEM).").reloads(),
    Definition::path("ssl_key", "", "The key of that certificate (PEM).").reloads(),
    Definition::flag(
        "auto_generate_certs",
        "ON",
        "Make a self-signed certificate in the data directory when ssl_cert is not set.",
    ),
    Definition::flag(
        "require_secure_transport",
        "OFF",
        "Refuse clients that use neither TLS nor the Unix socket.",
    )
    .reloads(),
    Definition::fixed_flag(
        "skip_name_resolve",
        true,
        "Clients are known by their address, never by a host name.",
    ),
];

/// MySQL's character sets; the collation of a new database follows from it.
const CHARACTER_SETS: &[&str] = &[
    "utf8mb4", "utf8mb3", "latin1", "ascii", "binary", "latin2", "latin5", "latin7", "cp1250",
    "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "koi8r", "koi8u", "greek", "hebrew",
    "utf8",
];
