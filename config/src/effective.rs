//! Every option with the value it has and the place that value came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::definition::{self, Definition, Role};
use crate::persisted::Persisted;
use crate::value::Value;
use crate::{Origin, Secret};

/// All options of a role after every layer was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    role: Role,
    values: BTreeMap<&'static str, (Value, Origin)>,
    /// What lies in the data directory, whether it was laid over the values or not.
    pub(crate) persisted: Persisted,
}

/// One row of `weir config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveValue {
    /// The option, with underscores.
    pub name: &'static str,
    /// Its value as text; a secret as asterisks, nothing for an option without one.
    pub value: String,
    /// Where the value was written.
    pub origin: Origin,
    /// Whether a running process takes a new value on SIGHUP.
    pub reloads: bool,
}

impl Effective {
    /// The defaults of `role`.
    pub(crate) fn defaults(role: Role) -> Self {
        let values = definition::all()
            .filter(|definition| definition.roles.contains(role))
            .map(|definition| {
                (
                    definition.name,
                    (default_value(definition, role), Origin::Default),
                )
            })
            .collect();
        let persisted = Persisted::default();
        Self {
            role,
            values,
            persisted,
        }
    }

    pub(crate) fn set(&mut self, definition: &'static Definition, value: Value, origin: Origin) {
        self.values.insert(definition.name, (value, origin));
    }

    pub(crate) fn extend(&mut self, definition: &Definition, more: Vec<String>, origin: Origin) {
        if let Some((Value::List(items), place)) = self.values.get_mut(definition.name) {
            items.extend(more);
            *place = origin;
        }
    }

    /// Replaces a default that follows from other options by what it comes to, so that it is shown
    /// as it acts. What the operator wrote stays.
    pub(crate) fn derive(&mut self, name: &str, value: Value) {
        if let Some((place, Origin::Default)) = self.values.get_mut(name) {
            *place = value;
        }
    }

    /// The role these values are for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The rows of `weir config show`, in the order of the reference page.
    pub fn iter(&self) -> impl Iterator<Item = EffectiveValue> + '_ {
        definition::all().filter_map(|definition| {
            let (value, origin) = self.values.get(definition.name)?;
            Some(EffectiveValue {
                name: definition.name,
                value: value.to_string(),
                origin: origin.clone(),
                reloads: definition.reloads,
            })
        })
    }

    /// Where the value of `name` came from; the default for a name that is not an option here.
    #[must_use]
    pub fn origin(&self, name: &str) -> Origin {
        self.values
            .get(name)
            .map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    pub(crate) fn is_default(&self, name: &str) -> bool {
        self.origin(name) == Origin::Default
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Flag(true)))
    }

    pub(crate) fn unsigned(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(Value::Unsigned(number) | Value::Seconds(number)) => *number,
            _ => 0,
        }
    }

    /// A number whose definition keeps it inside 32 bits.
    pub(crate) fn unsigned32(&self, name: &str) -> u32 {
        u32::try_from(self.unsigned(name)).unwrap_or(u32::MAX)
    }

    /// A number whose definition keeps it inside 16 bits.
    pub(crate) fn unsigned16(&self, name: &str) -> u16 {
        u16::try_from(self.unsigned(name)).unwrap_or(u16::MAX)
    }

    pub(crate) fn word(&self, name: &str) -> &'static str {
        match self.value(name) {
            Some(Value::Word(word)) => word,
            _ => "",
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    /// A path; a relative one is taken from `base`.
    pub(crate) fn path(&self, name: &str, base: &Path) -> Option<PathBuf> {
        self.text(name).map(|text| base.join(text))
    }

    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        match self.value(name) {
            Some(Value::Secret(secret)) => Some(secret.clone()),
            _ => None,
        }
    }

    pub(crate) fn list(&self, name: &str) -> &[String] {
        match self.value(name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        debug_assert!(
            definition::find(name).is_some(),
            "no option is called {name}"
        );
        self.values.get(name).map(|(value, _)| value)
    }
}

/// The default as a value. That every default can be read is a test of the definitions.
fn default_value(definition: &Definition, role: Role) -> Value {
    let text = definition.default_in(role);
    if text.is_empty() && !matches!(definition.kind, definition::Kind::List(_)) {
        return Value::Unset;
    }
    if text.is_empty() {
        return Value::List(Vec::new());
    }
    crate::value::read(definition, Some(text)).map_or(Value::Unset, |read| read.value)
}
