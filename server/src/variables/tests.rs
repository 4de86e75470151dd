use super::*;

fn settings() -> ServerSettings {
    let arguments = ["--server-id=7", "--datadir=/tmp/weir", "--log-bin=binlog"];
    let loaded = config::PrimarySettings::load(arguments.map(str::to_owned)).unwrap();
    loaded.settings.server
}

fn session() -> (SessionVariables, SessionContext) {
    let facts = [(
        "server_uuid",
        "97979797-0000-11f0-8000-000000000001".to_owned(),
    )];
    let globals = GlobalVariables::new(&settings(), &facts, Arc::new(NoLiveVariables));
    let variables = SessionVariables::new(Arc::new(globals));
    let mut context = SessionContext::new(1);
    variables.apply_all(&mut context).unwrap();
    (variables, context)
}

fn text(text: &str) -> Assigned {
    Assigned::Value(Datum::text(text).into())
}

fn number(number: i64) -> Assigned {
    Assigned::Value(Datum::Int(number).into())
}

#[test]
fn settings_and_facts_are_what_variables_show() {
    let (variables, _) = session();
    assert_eq!(variables.value("server_id", true), Some(Datum::UInt(7)));
    assert_eq!(
        variables.get("server_uuid").unwrap().shown(),
        "97979797-0000-11f0-8000-000000000001"
    );
    assert_eq!(variables.value("autocommit", false), Some(Datum::Int(1)));
    assert_eq!(variables.get("autocommit").unwrap().shown(), "ON");
    assert_eq!(variables.value("no_such_thing", false), None);
}

#[test]
fn what_is_set_is_what_the_session_does() {
    let (variables, mut context) = session();
    variables
        .set("foreign_key_checks", &number(0), &mut context)
        .unwrap();
    assert!(!context.foreign_key_checks);
    variables
        .set("sql_mode", &text("ANSI_QUOTES"), &mut context)
        .unwrap();
    assert!(context.sql_mode.contains(SqlMode::ANSI_QUOTES));
    variables
        .set("time_zone", &text("+02:00"), &mut context)
        .unwrap();
    assert_eq!(context.time_zone.name(), "+02:00");
    variables
        .set_names(Some("latin1"), None, &mut context)
        .unwrap();
    assert_eq!(
        variables.get("character_set_client").unwrap().shown(),
        "latin1"
    );
    assert_eq!(
        variables.get("collation_connection").unwrap().shown(),
        "latin1_swedish_ci"
    );
    variables
        .set("foreign_key_checks", &Assigned::Default, &mut context)
        .unwrap();
    assert!(context.foreign_key_checks);
}

#[test]
fn refusals_have_mysqls_numbers() {
    let (variables, mut context) = session();
    for (name, assigned, code) in [
        ("no_such_thing", number(1), 1193),
        ("server_id", number(2), 1238),
        ("read_only", number(1), 1229),
        ("autocommit", text("perhaps"), 1231),
        ("wait_timeout", text("long"), 1232),
        ("sql_mode", text("FASTER"), 1231),
        ("binlog_format", text("STATEMENT"), 1231),
        ("default_collation_for_utf8mb4", text("utf8mb4_bin"), 3721),
        ("character_set_client", number(999), 1115),
        ("collation_connection", number(999), 1273),
    ] {
        let error = variables.set(name, &assigned, &mut context).unwrap_err();
        assert_eq!(error.code, code, "{name}: {error}");
    }
    assert_eq!(
        variables
            .globals()
            .set("last_insert_id", &number(1))
            .unwrap_err()
            .code,
        1228
    );
}

#[test]
fn the_timestamps_of_older_servers_are_for_replays_alone() {
    let (variables, mut context) = session();
    let name = "explicit_defaults_for_timestamp";
    let error = variables.set(name, &number(0), &mut context).unwrap_err();
    assert_eq!(error.code, 1231);
    variables
        .set("pseudo_slave_mode", &number(1), &mut context)
        .unwrap();
    variables.set(name, &number(0), &mut context).unwrap();
    assert!(!context.explicit_defaults_for_timestamp);
}

#[test]
fn the_value_that_is_pinned_may_be_set_again() {
    let (variables, mut context) = session();
    for (name, assigned) in [
        ("binlog_format", text("row")),
        ("sql_log_bin", number(1)),
        ("sql_quote_show_create", number(1)),
        ("gtid_next", text("AUTOMATIC")),
    ] {
        variables.set(name, &assigned, &mut context).unwrap();
    }
}

#[test]
fn a_number_out_of_range_is_brought_inside_with_a_warning() {
    let (variables, mut context) = session();
    let warning = variables
        .set("auto_increment_increment", &number(0), &mut context)
        .unwrap();
    let warning = warning.unwrap();
    assert_eq!(warning.code, 1292);
    assert_eq!(
        warning.message,
        "Truncated incorrect auto_increment_increment value: '0'"
    );
    assert_eq!(context.auto_increment_increment, 1);
}

#[test]
fn read_only_and_super_read_only_move_together() {
    let (variables, _) = session();
    let globals = variables.globals();
    globals.set("super_read_only", &number(1)).unwrap();
    assert!(globals.is_on("read_only"));
    globals.set("read_only", &number(0)).unwrap();
    assert!(!globals.is_on("super_read_only"));
}

#[test]
fn default_is_what_a_server_without_options_starts_with() {
    let (variables, _) = session();
    let globals = variables.globals();
    let settable = definition::all().iter().filter(|definition| {
        definition.scope != Scope::Session
            && matches!(definition.access, Access::Dynamic | Access::Inert)
    });
    for definition in settable {
        let at_start = globals.value(definition.name);
        globals.set(definition.name, &Assigned::Default).unwrap();
        assert_eq!(
            globals.value(definition.name),
            at_start,
            "{}",
            definition.name
        );
    }
}

#[test]
fn option_files_take_the_sql_modes_that_set_takes() {
    for name in config::settings::SQL_MODES {
        let mode: Result<SqlMode, _> = name.parse();
        let shown = mode.map(|mode| mode.to_string());
        let is_shown = shown
            .as_ref()
            .is_ok_and(|shown| shown.split(',').any(|mode| mode == *name));
        assert!(is_shown, "{name}: {shown:?}");
    }
    let all = SqlMode::from_bits(u64::MAX).to_string();
    let all: Vec<&str> = all.split(',').collect();
    assert_eq!(all, config::settings::SQL_MODES);
}
