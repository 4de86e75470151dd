//! The common type of several operands: CASE, COALESCE, UNION and their like.

use super::collate;
use super::env::Env;
use super::node::Node;
use super::types::{Kind, NOT_FIXED, Type};
use sql::error::SqlError;

impl Type {
    /// The common type of the values of these nodes.
    pub fn union(nodes: &[&Node], env: &Env, operation: &str) -> Result<Self, SqlError> {
        let types: Vec<&Self> = nodes.iter().map(|node| &node.ty).collect();
        Self::union_types(&types, env, operation)
    }

    /// The common type of these types.
    pub fn union_types(types: &[&Self], env: &Env, operation: &str) -> Result<Self, SqlError> {
        let nullable = types.iter().any(|ty| ty.nullable);
        let known: Vec<&Self> = types
            .iter()
            .copied()
            .filter(|ty| ty.kind != Kind::Null)
            .collect();
        let Some((first, rest)) = known.split_first() else {
            return Ok(Self::null());
        };
        let all = |test: &dyn Fn(Kind) -> bool| known.iter().all(|ty| test(ty.kind));
        let longest = known.iter().map(|ty| ty.length).max().unwrap_or(0);
        let ty = if rest
            .iter()
            .all(|ty| ty.same_storage(first) && ty.kind == first.kind)
            && !matches!(first.kind, Kind::Decimal | Kind::Text | Kind::Integer)
        {
            Self {
                length: longest,
                ..(*first).clone()
            }
        } else if all(&Kind::is_integer) {
            Self::common_integer(&known, longest)
        } else if all(&|kind| kind.is_integer() || kind == Kind::Decimal) {
            let scale = known.iter().map(|ty| ty.scale()).max().unwrap_or(0);
            let whole = known
                .iter()
                .map(|ty| ty.integer_digits())
                .max()
                .unwrap_or(0);
            let unsigned = known.iter().all(|ty| ty.unsigned);
            Self::decimal(whole.saturating_add(scale).min(65), scale, unsigned)
        } else if all(&|kind| kind.is_integer() || kind == Kind::Decimal || kind.is_approximate()) {
            Self {
                decimals: NOT_FIXED,
                ..Self::double()
            }
        } else if all(&Kind::is_date) {
            let fsp = known.iter().map(|ty| ty.decimals).max().unwrap_or(0);
            Self::datetime(fsp)
        } else if all(&Kind::is_temporal) {
            let fsp = known.iter().map(|ty| ty.decimals).max().unwrap_or(0);
            if all(&|kind| kind == Kind::Time) {
                Self::time(fsp)
            } else {
                Self::datetime(fsp)
            }
        } else if all(&|kind| kind == Kind::Json) {
            Self::json()
        } else {
            let (collation, coercibility) = collate::join(&known, env.collation, operation)?;
            let length = known.iter().map(|ty| ty.text_length()).max().unwrap_or(0);
            Self::text(length, collation, coercibility)
        };
        Ok(Self {
            wire: ty
                .wire
                .or(first.wire.filter(|_| ty.kind == Kind::Integer))
                .filter(|_| {
                    rest.iter()
                        .all(|other| other.wire == first.wire && other.kind == first.kind)
                }),
            ..ty
        }
        .with_null(nullable))
    }

    fn common_integer(known: &[&Self], longest: u32) -> Self {
        let unsigned = known.iter().filter(|ty| ty.unsigned).count();
        if unsigned == known.len() {
            return Self {
                unsigned: true,
                ..Self::integer(longest)
            };
        }
        let wide = known.iter().any(|ty| ty.unsigned && ty.length >= 20);
        if unsigned > 0 && wide {
            return Self::decimal(20, 0, false);
        }
        Self::integer(longest)
    }

    /// Whether values of both types lie in SQLite in the same form and print alike.
    pub fn same_storage(&self, other: &Self) -> bool {
        if self.kind != other.kind {
            return false;
        }
        match self.kind {
            Kind::Decimal => self.precision == other.precision && self.decimals == other.decimals,
            Kind::Integer => self.unsigned == other.unsigned,
            Kind::Text => self.is_binary() == other.is_binary() && !other.fixed_width,
            Kind::DateTime | Kind::Timestamp | Kind::Time => self.decimals == other.decimals,
            Kind::Enum | Kind::Set => self.members == other.members,
            _ => true,
        }
    }
}
