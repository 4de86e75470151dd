//! Syntax of its own: CASE, CAST, COLLATE, LIKE, intervals, EXTRACT, TRIM and their like.

use sqlparser::ast::{
    BinaryOperator, CastKind, CeilFloorKind, DataType, DateTimeField, ExactNumberInfo, Expr,
    Interval, TimezoneInfo, TrimWhereField, Value,
};

use super::expression::negate_if;
use super::{Binder, Place, Scope, unsupported};
use crate::catalog::ColumnType;
use crate::collation::{self, BINARY, Charset};
use crate::expr::env::Env;
use crate::expr::node::{Comparison, Node, Op};
use crate::expr::types::{Coercibility, Kind, Type};
use crate::value::datum::Datum;
use crate::value::fraction::round_moment;
use crate::value::temporal::Span;
use crate::value::temporal_text::parse_moment_by;
use crate::value::{DateRules, moment_text};
use sql::error::SqlError;

impl Binder<'_> {
    /// The forms of syntax that are neither operators nor calls.
    pub(super) fn special(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        match expr {
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let mut branches = Vec::with_capacity(conditions.len());
                for branch in conditions {
                    let condition = match operand {
                        Some(operand) => self.comparison(
                            Comparison::Equal,
                            operand,
                            &branch.condition,
                            scope,
                            place,
                        )?,
                        None => self.bind(&branch.condition, scope, place)?,
                    };
                    branches.push((condition, self.bind(&branch.result, scope, place)?));
                }
                let otherwise = match else_result {
                    Some(expr) => Some(self.bind(expr, scope, place)?),
                    None => None,
                };
                self.case(branches, otherwise)
            }
            Expr::Like {
                negated,
                expr,
                pattern,
                escape_char,
                any: false,
            } => {
                let mut args = vec![
                    self.bind(expr, scope, place)?,
                    self.bind(pattern, scope, place)?,
                ];
                if let Some(escape) = escape_char {
                    args.push(self.bind(escape, scope, place)?);
                }
                Ok(negate_if(self.call_named("like", args)?, *negated))
            }
            Expr::RLike {
                negated,
                expr,
                pattern,
                ..
            } => {
                let args = vec![
                    self.bind(expr, scope, place)?,
                    self.bind(pattern, scope, place)?,
                ];
                Ok(negate_if(self.call_named("regexp_like", args)?, *negated))
            }
            other => self.cast_call(other, scope, place),
        }
    }

    /// CAST, CONVERT, COLLATE and MEMBER OF.
    fn cast_call(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        match expr {
            Expr::Cast {
                kind: CastKind::Cast,
                expr,
                data_type,
                format: None,
            } => {
                let node = self.bind(expr, scope, place)?;
                self.cast(node, data_type)
            }
            Expr::Convert {
                is_try: false,
                expr,
                data_type,
                charset,
                ..
            } => {
                let node = self.bind(expr, scope, place)?;
                match (data_type, charset) {
                    (Some(data_type), _) => self.cast(node, data_type),
                    (None, Some(charset)) => self.convert_using(node, &charset.to_string()),
                    (None, None) => Err(SqlError::syntax_error()),
                }
            }
            Expr::Collate { expr, collation } => {
                let node = self.bind(expr, scope, place)?;
                self.collate(node, &collation.to_string())
            }
            Expr::MemberOf(member) => {
                let args = vec![
                    self.bind(&member.value, scope, place)?,
                    self.bind(&member.array, scope, place)?,
                ];
                self.call_named("member of", args)
            }
            other => self.keyword_call(other, scope, place),
        }
    }

    /// Functions with keywords among their arguments.
    fn keyword_call(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        match expr {
            Expr::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => {
                let mut args = vec![self.bind(expr, scope, place)?];
                for part in [substring_from, substring_for].into_iter().flatten() {
                    args.push(self.bind(part, scope, place)?);
                }
                self.call_named("substr", args)
            }
            Expr::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters: None,
            } => {
                let name = match trim_where {
                    None | Some(TrimWhereField::Both) => "trim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let mut args = vec![self.bind(expr, scope, place)?];
                if let Some(what) = trim_what {
                    args.push(self.bind(what, scope, place)?);
                }
                self.call_named(name, args)
            }
            Expr::Position { expr, r#in } => {
                let args = vec![
                    self.bind(expr, scope, place)?,
                    self.bind(r#in, scope, place)?,
                ];
                self.call_named("locate", args)
            }
            Expr::Extract { field, expr, .. } => {
                let args = vec![
                    self.text_constant(&unit_name(field)),
                    self.bind(expr, scope, place)?,
                ];
                self.call_named("extract", args)
            }
            Expr::Ceil {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => {
                let args = vec![self.bind(expr, scope, place)?];
                self.call_named("ceiling", args)
            }
            Expr::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => {
                let args = vec![self.bind(expr, scope, place)?];
                self.call_named("floor", args)
            }
            other => self.other_syntax(other, scope, place),
        }
    }

    /// Typed literals, introducers, ANY and ALL; everything else is refused.
    fn other_syntax(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        match expr {
            Expr::TypedString(typed) => {
                let text = match &typed.value.value {
                    Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text,
                    _ => return Err(SqlError::syntax_error()),
                };
                // What a column keeps was checked when it was written.
                let rules = match self.is_kept {
                    true => DateRules::ANY_DAY,
                    false => DateRules::of(self.env.sql_mode),
                };
                typed_literal(&typed.data_type, text, &self.env, &rules)
            }
            Expr::Prefixed { prefix, value } => match value.as_ref() {
                Expr::Value(literal) => self.introduced(&prefix.value, &literal.value),
                _ => Err(SqlError::syntax_error()),
            },
            Expr::Interval(_) => Err(SqlError::syntax_error()),
            Expr::Tuple(elements) => Err(SqlError::operand_columns(elements.len().min(1))),
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => self.quantified(left, right, false, scope, place),
            Expr::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } => self.quantified(left, right, true, scope, place),
            Expr::AnyOp { .. } | Expr::AllOp { .. } => unsupported("ANY and ALL"),
            other => unsupported(&other.to_string()),
        }
    }

    /// `= ANY (query)` is IN, `<> ALL (query)` is NOT IN.
    fn quantified(
        &mut self,
        left: &Expr,
        right: &Expr,
        negated: bool,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        let Expr::Subquery(query) = super::operators::strip(right) else {
            return unsupported("ANY and ALL");
        };
        Ok(negate_if(
            self.in_subquery(left, query, scope, place)?,
            negated,
        ))
    }

    /// CAST to one of MySQL's target types.
    fn cast(&self, node: Node, data_type: &DataType) -> Result<Node, SqlError> {
        let nullable = node.ty.nullable;
        let fsp = |digits: &Option<u64>| u8::try_from(digits.unwrap_or(0)).unwrap_or(6).min(6);
        let node = match data_type {
            DataType::Binary(_)
            | DataType::Varbinary(_)
            | DataType::Char(_)
            | DataType::Character(_)
            | DataType::Nvarchar(_) => node,
            _ => super::literal::numeric_hex(node),
        };
        let ty = match data_type {
            DataType::Signed
            | DataType::SignedInteger
            | DataType::BigInt(None)
            | DataType::Int(None)
            | DataType::Integer(None) => Type::integer(21),
            DataType::Unsigned
            | DataType::UnsignedInteger
            | DataType::BigIntUnsigned(None)
            | DataType::IntUnsigned(None) => Type::unsigned(21),
            DataType::Decimal(info) | DataType::Dec(info) | DataType::Numeric(info) => {
                let (precision, scale) = match info {
                    ExactNumberInfo::None => (10, 0),
                    ExactNumberInfo::Precision(precision) => (*precision, 0),
                    ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
                };
                decimal_type(precision, scale, &node)?
            }
            DataType::Double(_) | DataType::DoublePrecision | DataType::Real => Type::double(),
            DataType::Float(_) => Type {
                kind: Kind::Float,
                length: 12,
                ..Type::double()
            },
            DataType::Date => Type::date().with_null(true),
            DataType::Datetime(digits) => Type::datetime(fsp(digits)).with_null(true),
            DataType::Time(digits, TimezoneInfo::None) => Type::time(fsp(digits)).with_null(true),
            DataType::Custom(name, arguments)
                if arguments.is_empty() && name.to_string().eq_ignore_ascii_case("YEAR") =>
            {
                Type::of_column_type(&ColumnType::Year).with_null(true)
            }
            DataType::JSON => Type::json(),
            DataType::Binary(length) => {
                let length = length.and_then(|length| u32::try_from(length).ok());
                text_type(&node, &BINARY, length)
            }
            DataType::Char(length) | DataType::Character(length) | DataType::Nvarchar(length) => {
                let length = match length {
                    Some(sqlparser::ast::CharacterLength::IntegerLength { length, .. }) => {
                        u32::try_from(*length).ok()
                    }
                    _ => None,
                };
                text_type(&node, self.env.collation, length)
            }
            other => return unsupported(&format!("CAST AS {other}")),
        };
        let nullable = nullable || ty.nullable;
        let ty = ty.with_null(nullable);
        self.fold(Node {
            op: Op::Convert(Box::new(node)),
            ty,
        })
    }

    /// CONVERT(... USING charset).
    pub(super) fn convert_using(&self, node: Node, charset: &str) -> Result<Node, SqlError> {
        let collation = Charset::by_name(charset)?.default_collation();
        let ty = text_type(&node, collation, None).with_null(node.ty.nullable);
        self.fold(Node {
            op: Op::Convert(Box::new(node)),
            ty,
        })
    }

    /// COLLATE. Error 1253 when the collation is of another character set.
    fn collate(&self, node: Node, name: &str) -> Result<Node, SqlError> {
        let wanted = collation::exact(name)?;
        let text = node.ty.kind.is_text();
        let own = if text {
            node.ty.collation.charset
        } else {
            self.env.collation.charset
        };
        if own != wanted.charset && node.ty.kind != Kind::Null {
            return Err(SqlError::collation_charset_mismatch(
                wanted.name,
                own.name(),
            ));
        }
        let mut ty = text_type(&node, wanted, None).with_null(node.ty.nullable);
        ty.coercibility = Coercibility::Explicit;
        if let (Op::Leaf(leaf), Kind::Text) = (&node.op, node.ty.kind) {
            return Ok(Node {
                op: Op::Leaf(leaf.clone()),
                ty,
            });
        }
        self.fold(Node {
            op: Op::Convert(Box::new(node)),
            ty,
        })
    }

    /// `date + INTERVAL n unit` and its like.
    pub(super) fn date_arithmetic(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Option<Node>, SqlError> {
        Ok(match (left, op, right) {
            (date, BinaryOperator::Plus, Expr::Interval(interval))
            | (Expr::Interval(interval), BinaryOperator::Plus, date) => {
                Some(self.add_interval(date, interval, false, scope, place)?)
            }
            (date, BinaryOperator::Minus, Expr::Interval(interval)) => {
                Some(self.add_interval(date, interval, true, scope, place)?)
            }
            _ => None,
        })
    }

    pub(super) fn add_interval(
        &mut self,
        date: &Expr,
        interval: &Interval,
        subtract: bool,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        let Some(field) = &interval.leading_field else {
            return Err(SqlError::syntax_error());
        };
        let unit = unit_name(field);
        let date = self.bind(date, scope, place)?;
        let count = self.bind(&interval.value, scope, place)?;
        let name = if subtract { "date_sub" } else { "date_add" };
        let unit = self.text_constant(&unit);
        self.call_named(name, vec![date, count, unit])
    }
}

/// MySQL's word of a unit.
fn unit_name(field: &DateTimeField) -> String {
    match field {
        DateTimeField::Custom(ident) => ident.value.to_ascii_uppercase(),
        other => other.to_string().to_ascii_uppercase(),
    }
}

fn decimal_type(precision: u64, scale: i64, node: &Node) -> Result<Type, SqlError> {
    let name = node.describe();
    if precision > 65 {
        return Err(SqlError::too_big_precision(precision, name, 65));
    }
    if scale > 30 {
        return Err(SqlError::too_big_scale(scale, name, 30));
    }
    let precision = if precision == 0 {
        10
    } else {
        u8::try_from(precision).unwrap_or(65)
    };
    let scale = u8::try_from(scale).unwrap_or(0);
    if scale > precision {
        return Err(SqlError::m_bigger_than_d(""));
    }
    Ok(Type::decimal(precision, scale, false))
}

fn text_type(node: &Node, collation: &'static collation::Collation, length: Option<u32>) -> Type {
    // What is cast is as strong as a column.
    let coercibility = Coercibility::Implicit;
    match length {
        Some(length) => Type {
            fixed_width: true,
            ..Type::text(length, collation, coercibility)
        },
        None => {
            let factor = if collation.is_binary() && node.ty.kind == Kind::Text {
                u32::from(node.ty.collation.charset.bytes_per_char_max())
            } else {
                1
            };
            Type::text(
                node.ty.text_length().saturating_mul(factor),
                collation,
                coercibility,
            )
        }
    }
}

/// Error 1525 unless `text` is what DATE, TIME or TIMESTAMP in front of it says.
pub fn check_temporal_literal(kind: &str, text: &str, rules: &DateRules) -> Result<(), SqlError> {
    let wrong = |kind: &str| SqlError::wrong_temporal_literal(kind, text);
    match kind {
        "TIME" => match Span::parse(text) {
            Some((_, false)) => Ok(()),
            Some((_, true)) | None => Err(wrong("TIME")),
        },
        "DATE" => {
            let parsed = parse_moment_by(text, rules);
            match parsed.is_some_and(|parsed| !parsed.has_time && !parsed.truncated) {
                true => Ok(()),
                false => Err(wrong("DATE")),
            }
        }
        _ => {
            let parsed = parse_moment_by(text, rules);
            match parsed.is_some_and(|parsed| parsed.has_time && !parsed.truncated) {
                true => Ok(()),
                false => Err(wrong("DATETIME")),
            }
        }
    }
}

/// DATE '...', TIME '...', TIMESTAMP '...'. Error 1525 for what is none.
fn typed_literal(
    data_type: &DataType,
    text: &str,
    env: &Env,
    rules: &DateRules,
) -> Result<Node, SqlError> {
    let fsp = Datum::text(text).fsp();
    let wrong = |kind: &str| SqlError::wrong_temporal_literal(kind, text);
    match data_type {
        DataType::Date => {
            let parsed = parse_moment_by(text, rules);
            let parsed = parsed.filter(|parsed| !parsed.has_time && !parsed.truncated);
            let moment = parsed.ok_or_else(|| wrong("DATE"))?.moment;
            Ok(Node::constant(Datum::Date(moment), Type::date()))
        }
        DataType::Timestamp(..) | DataType::Datetime(_) => {
            let read = moment_text::read(text.as_bytes(), rules, false);
            let read = read.ok().filter(|read| !read.truncated);
            let read = read.ok_or_else(|| wrong("DATETIME"))?;
            let moment = round_moment(read.moment, read.nanos, 6).map_err(|_| wrong("DATETIME"))?;
            let moment = match read.offset {
                None => moment,
                Some(offset) => {
                    let seconds = moment.epoch_seconds() - i64::from(offset);
                    let local = env.zone.local_at(seconds, moment.micros);
                    local.ok_or_else(|| wrong("DATETIME"))?
                }
            };
            let fsp = read.digits;
            Ok(Node::constant(
                Datum::DateTime(moment, fsp),
                Type::datetime(fsp),
            ))
        }
        DataType::Time(..) => {
            let (span, truncated) = Span::parse(text).ok_or_else(|| wrong("TIME"))?;
            if truncated {
                return Err(wrong("TIME"));
            }
            Ok(Node::constant(Datum::Time(span, fsp), Type::time(fsp)))
        }
        other => unsupported(&format!("{other} literal")),
    }
}
