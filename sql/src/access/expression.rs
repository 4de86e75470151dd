//! What expressions touch: the tables of their subqueries.

use sqlparser::ast as sp;

use super::{REPETITIONS_MAX, Refusal, Walk, Walked, empty, none, refuse};

/// Words without parentheses that are functions and no columns.
const FUNCTION_WORDS: [&str; 9] = [
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
];

impl Walk {
    pub(super) fn exprs(&mut self, exprs: &[sp::Expr]) -> Walked {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    pub(super) fn maybe(&mut self, expr: Option<&sp::Expr>) -> Walked {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    pub(super) fn expr(&mut self, expr: &sp::Expr) -> Walked {
        self.deeper(1, |walk| walk.expr_inside(expr))
    }

    fn expr_inside(&mut self, expr: &sp::Expr) -> Walked {
        use sp::Expr as E;
        match expr {
            E::Value(_) | E::TypedString(_) => Ok(()),
            E::Identifier(name) => {
                let is_variable = name.quote_style.is_none() && name.value.starts_with('@');
                let is_function = name.quote_style.is_none()
                    && FUNCTION_WORDS
                        .iter()
                        .any(|word| name.value.eq_ignore_ascii_case(word));
                self.reads_columns |= !is_variable && !is_function;
                Ok(())
            }
            E::CompoundIdentifier(_) | E::Wildcard(_) | E::QualifiedWildcard(..) => {
                self.reads_columns = true;
                Ok(())
            }
            E::Nested(inner)
            | E::IsFalse(inner)
            | E::IsNotFalse(inner)
            | E::IsTrue(inner)
            | E::IsNotTrue(inner)
            | E::IsNull(inner)
            | E::IsNotNull(inner)
            | E::IsUnknown(inner)
            | E::IsNotUnknown(inner)
            | E::Collate { expr: inner, .. }
            | E::Prefixed { value: inner, .. }
            | E::UnaryOp { expr: inner, .. }
            | E::Cast { expr: inner, .. }
            | E::Extract { expr: inner, .. }
            | E::Ceil { expr: inner, .. }
            | E::Floor { expr: inner, .. } => self.expr(inner),
            E::Interval(interval) => self.expr(&interval.value),
            E::BinaryOp {
                op: op @ (sp::BinaryOperator::And | sp::BinaryOperator::Or),
                ..
            } if self.balances => self.chain(expr, op),
            E::BinaryOp { left, right, .. }
            | E::AnyOp { left, right, .. }
            | E::AllOp { left, right, .. }
            | E::IsDistinctFrom(left, right)
            | E::IsNotDistinctFrom(left, right) => {
                self.expr(left)?;
                self.expr(right)
            }
            E::InSubquery { expr, subquery, .. } => {
                self.expr(expr)?;
                self.query(subquery)
            }
            E::Exists { subquery, .. } | E::Subquery(subquery) => self.query(subquery),
            E::Tuple(exprs) => self.exprs(exprs),
            E::InList { expr, list, .. } => {
                self.expr(expr)?;
                self.exprs(list)
            }
            other => self.longer_expr(other),
        }
    }

    /// A chain of one operator as deep as it will be when it is balanced.
    fn chain(&mut self, expr: &sp::Expr, chain: &sp::BinaryOperator) -> Walked {
        let mut operands = Vec::new();
        let mut rest = expr;
        while let sp::Expr::BinaryOp { left, op, right } = rest
            && op == chain
        {
            operands.push(&**right);
            rest = left;
        }
        operands.push(rest);
        let levels = operands.len().checked_ilog2().unwrap_or(0);
        self.deeper(usize::try_from(levels).unwrap_or(0), |walk| {
            operands
                .iter()
                .rev()
                .try_for_each(|operand| walk.expr(operand))
        })
    }

    /// An operand that is evaluated more than once: inside of each other such operands multiply.
    fn repeated(&mut self, operand: &sp::Expr) -> Walked {
        self.repeating(|walk| walk.expr(operand))
    }

    fn repeating(&mut self, inner: impl FnOnce(&mut Self) -> Walked) -> Walked {
        self.repetitions += 1;
        if self.repetitions > REPETITIONS_MAX {
            return Err(Refusal::Limit(crate::depth::too_deep()));
        }
        inner(self)?;
        self.repetitions -= 1;
        Ok(())
    }

    /// Expressions of three parts and more.
    fn longer_expr(&mut self, expr: &sp::Expr) -> Walked {
        use sp::Expr as E;
        match expr {
            E::Between {
                expr, low, high, ..
            } => {
                self.repeated(expr)?;
                self.expr(low)?;
                self.expr(high)
            }
            E::Like {
                expr,
                pattern,
                escape_char,
                ..
            } => {
                self.expr(expr)?;
                self.expr(pattern)?;
                self.maybe(escape_char.as_deref())
            }
            E::RLike { expr, pattern, .. } => {
                self.expr(expr)?;
                self.expr(pattern)
            }
            E::Convert { expr, styles, .. } => {
                self.expr(expr)?;
                self.exprs(styles)
            }
            E::AtTimeZone {
                timestamp,
                time_zone,
            } => {
                self.expr(timestamp)?;
                self.expr(time_zone)
            }
            E::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                if let Some(operand) = operand {
                    self.repeated(operand)?;
                }
                for when in conditions {
                    self.expr(&when.condition)?;
                    self.expr(&when.result)?;
                }
                self.maybe(else_result.as_deref())
            }
            E::MatchAgainst { .. } => {
                self.reads_columns = true;
                Ok(())
            }
            E::MemberOf(member) => {
                self.expr(&member.value)?;
                self.expr(&member.array)
            }
            E::Function(function) => self.function(function),
            other => self.text_expr(other),
        }
    }

    /// Functions on texts with words of their own.
    fn text_expr(&mut self, expr: &sp::Expr) -> Walked {
        use sp::Expr as E;
        match expr {
            E::Position { expr, r#in } => {
                self.expr(expr)?;
                self.expr(r#in)
            }
            E::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => {
                self.expr(expr)?;
                self.maybe(substring_from.as_deref())?;
                self.maybe(substring_for.as_deref())
            }
            E::Trim {
                trim_what,
                expr,
                trim_characters,
                ..
            } => {
                self.maybe(trim_what.as_deref())?;
                self.expr(expr)?;
                self.exprs(trim_characters.as_deref().unwrap_or_default())
            }
            other => unknown(other),
        }
    }

    fn function(&mut self, function: &sp::Function) -> Walked {
        self.arguments(&function.parameters)?;
        if function.name.to_string().eq_ignore_ascii_case("NULLIF") {
            self.repeating(|walk| walk.arguments(&function.args))?;
        } else {
            self.arguments(&function.args)?;
        }
        empty(&function.within_group, "WITHIN GROUP")?;
        none(function.filter.as_ref(), "FILTER")?;
        match &function.over {
            None | Some(sp::WindowType::NamedWindow(_)) => Ok(()),
            Some(sp::WindowType::WindowSpec(spec)) => self.window(spec),
        }
    }

    fn arguments(&mut self, arguments: &sp::FunctionArguments) -> Walked {
        let list = match arguments {
            sp::FunctionArguments::None => return Ok(()),
            sp::FunctionArguments::Subquery(query) => return self.query(query),
            sp::FunctionArguments::List(list) => list,
        };
        for argument in &list.args {
            match argument {
                sp::FunctionArg::Unnamed(argument) => self.argument(argument)?,
                sp::FunctionArg::Named { .. } | sp::FunctionArg::ExprNamed { .. } => {
                    return refuse("a named argument");
                }
            }
        }
        for clause in &list.clauses {
            match clause {
                sp::FunctionArgumentClause::OrderBy(parts) => self.order(parts)?,
                sp::FunctionArgumentClause::Separator(_)
                | sp::FunctionArgumentClause::IgnoreOrRespectNulls(_) => {}
                sp::FunctionArgumentClause::Limit(expr) => self.expr(expr)?,
                sp::FunctionArgumentClause::Where(_)
                | sp::FunctionArgumentClause::OnOverflow(_)
                | sp::FunctionArgumentClause::Having(_)
                | sp::FunctionArgumentClause::JsonNullClause(_)
                | sp::FunctionArgumentClause::JsonReturningClause(_) => {
                    return refuse("this clause of a function");
                }
            }
        }
        Ok(())
    }

    fn argument(&mut self, argument: &sp::FunctionArgExpr) -> Walked {
        match argument {
            sp::FunctionArgExpr::Expr(expr) => self.expr(expr),
            sp::FunctionArgExpr::Wildcard => Ok(()),
            sp::FunctionArgExpr::QualifiedWildcard(_) => {
                self.reads_columns = true;
                Ok(())
            }
            sp::FunctionArgExpr::WildcardWithOptions(_) => refuse("* with options"),
        }
    }

    pub(super) fn window(&mut self, spec: &sp::WindowSpec) -> Walked {
        self.exprs(&spec.partition_by)?;
        self.order(&spec.order_by)?;
        let Some(frame) = &spec.window_frame else {
            return Ok(());
        };
        let ends = [Some(&frame.start_bound), frame.end_bound.as_ref()];
        for bound in ends.into_iter().flatten() {
            match bound {
                sp::WindowFrameBound::CurrentRow => {}
                sp::WindowFrameBound::Preceding(expr) | sp::WindowFrameBound::Following(expr) => {
                    self.maybe(expr.as_deref())?;
                }
            }
        }
        Ok(())
    }
}

/// Nodes of other dialects: none of them is MySQL's, so none is let through.
fn unknown(expr: &sp::Expr) -> Walked {
    use sp::Expr as E;
    refuse(match expr {
        E::CompoundFieldAccess { .. } => "a field of an expression",
        E::JsonAccess { .. } => "a path behind a colon",
        E::IsJson { .. } => "IS JSON",
        E::IsNormalized { .. } => "IS NORMALIZED",
        E::InUnnest { .. } => "UNNEST",
        E::ILike { .. } => "ILIKE",
        E::SimilarTo { .. } => "SIMILAR TO",
        E::Overlay { .. } => "OVERLAY",
        E::GroupingSets(_) => "GROUPING SETS",
        E::Cube(_) => "CUBE",
        E::Rollup(_) => "ROLLUP",
        E::Struct { .. } | E::Named { .. } => "STRUCT",
        E::Dictionary(_) | E::Map(_) => "MAP",
        E::Array(_) => "ARRAY",
        E::OuterJoin(_) => "(+)",
        E::Prior(_) => "PRIOR",
        E::Lambda(_) => "a lambda",
        _ => "this expression",
    })
}
