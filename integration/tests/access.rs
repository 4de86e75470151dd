//! Who gets in, what they may, and what one client can do to the others: on live nodes, with real
//! clients, beside MySQL 9.7 where its answer is the truth.

#[path = "access/before_login.rs"]
mod before_login;
#[path = "access/charsets.rs"]
mod charsets;
#[path = "access/connections.rs"]
mod connections;
#[path = "access/conversations.rs"]
mod conversations;
#[path = "access/doors.rs"]
mod doors;
#[path = "access/escalation.rs"]
mod escalation;
#[path = "access/files.rs"]
mod files;
#[path = "access/grants.rs"]
mod grants;
#[path = "access/hostile.rs"]
mod hostile;
#[path = "access/kills.rs"]
mod kills;
#[path = "access/memory.rs"]
mod memory;
#[path = "access/packets.rs"]
mod packets;
#[path = "access/persisted.rs"]
mod persisted;
#[path = "access/prepared.rs"]
mod prepared;
#[path = "access/privileges.rs"]
mod privileges;
#[path = "access/sessions.rs"]
mod sessions;
#[path = "access/shapes.rs"]
mod shapes;
#[path = "access/statements.rs"]
mod statements;
#[path = "access/user_locks.rs"]
mod user_locks;
