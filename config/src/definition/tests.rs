//! Tests of the list as a whole.

use std::collections::BTreeSet;

use super::{RENAMED, Role, all, find};
use crate::{PrimarySettings, ReplicaSettings, value};

#[test]
fn every_name_is_defined_once_and_in_the_form_of_a_variable() {
    let mut seen = BTreeSet::new();
    for definition in all() {
        assert!(
            seen.insert(definition.name),
            "{} is defined twice",
            definition.name
        );
        assert!(
            definition
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        );
    }
}

#[test]
fn every_default_can_be_written_by_an_operator() {
    for definition in all() {
        for role in [Role::Primary, Role::Replica] {
            let text = definition.default_in(role);
            if !text.is_empty() {
                let read = value::read(definition, Some(text));
                let adjusted = read.map(|read| read.adjusted);
                assert_eq!(adjusted, Ok(None), "default of {}", definition.name);
            }
        }
    }
}

#[test]
fn old_names_lead_to_names_of_today() {
    for renamed in RENAMED {
        assert!(find(renamed.new).is_some(), "{} leads nowhere", renamed.old);
        assert!(
            find(renamed.old).is_none(),
            "{} is old and new",
            renamed.old
        );
    }
}

#[test]
fn the_defaults_of_both_roles_load_without_a_warning() {
    assert_eq!(PrimarySettings::load::<String>([]).unwrap().warnings, []);
    assert_eq!(ReplicaSettings::load::<String>([]).unwrap().warnings, []);
}
