//! Function calls: aggregates, session functions, control functions and the table of the rest.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function as Syntax, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident,
};

use super::operators::strip;
use super::{Binder, Place, Scope, unsupported};
use crate::expr::compare::Domain;
use crate::expr::function::Signature;
use crate::expr::node::{Comparison, Node, Op};
use crate::expr::types::Type;
use crate::functions;
use sql::error::SqlError;

/// Alias of the relation that VALUES(column) reads; no statement can write it.
pub const INSERTED: &str = "\u{1}values";

impl Binder<'_> {
    /// A call by MySQL's syntax.
    pub(super) fn function(
        &mut self,
        call: &Syntax,
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Node, SqlError> {
        let name = call.name.to_string().replace('`', "").to_ascii_lowercase();
        if name.contains('.') {
            return Err(SqlError::sp_does_not_exist("FUNCTION", name));
        }
        if call.over.is_some() {
            return unsupported("window functions");
        }
        if call.filter.is_some() || !call.within_group.is_empty() {
            return unsupported("FILTER and WITHIN GROUP");
        }
        let list = match &call.args {
            FunctionArguments::None => {
                return self
                    .bare_word(&name)?
                    .ok_or_else(|| unknown_function(self, &name));
            }
            FunctionArguments::Subquery(_) => return unsupported("a query as argument"),
            FunctionArguments::List(list) => list,
        };
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        if let Some(aggregate) = functions::aggregate(&name) {
            return self.aggregate(&name, aggregate, distinct, list, scope, place);
        }
        if distinct || !list.clauses.is_empty() {
            return Err(SqlError::syntax_error());
        }
        let mut args = Vec::with_capacity(list.args.len());
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => args.push(expr),
                _ => return Err(SqlError::syntax_error()),
            }
        }
        if let Some(node) = self.unevaluated(&name, &args, scope, place)? {
            return Ok(node);
        }
        let mut nodes = Vec::with_capacity(args.len());
        for arg in args {
            nodes.push(self.bind(arg, scope, place)?);
        }
        if let Some(node) = self.session_function(&name, &nodes)? {
            return Ok(node);
        }
        if let Some(node) = self.control(&name, &nodes)? {
            return Ok(node);
        }
        if functions::find(&name).is_none() {
            return Err(unknown_function(self, &call.name.to_string()));
        }
        self.call_named(&name, nodes)
    }

    /// Calls whose arguments are more than expressions.
    fn unevaluated(
        &mut self,
        name: &str,
        args: &[&Expr],
        scope: &Scope<'_>,
        place: Place,
    ) -> Result<Option<Node>, SqlError> {
        Ok(Some(match (name, args) {
            ("date_add" | "adddate", [date, Expr::Interval(interval)]) => {
                self.add_interval(date, interval, false, scope, place)?
            }
            ("date_sub" | "subdate", [date, Expr::Interval(interval)]) => {
                self.add_interval(date, interval, true, scope, place)?
            }
            ("timestampdiff" | "timestampadd", [unit, rest @ ..]) => {
                let Expr::Identifier(unit) = strip(unit) else {
                    return Err(SqlError::syntax_error());
                };
                let mut nodes = vec![self.text_constant(&unit.value)];
                for arg in rest {
                    nodes.push(self.bind(arg, scope, place)?);
                }
                self.call_named(name, nodes)?
            }
            ("values", [Expr::Identifier(column)]) => {
                self.env.warn(values_deprecated());
                inserted_value(column, scope)?
            }
            ("default", [Expr::Identifier(column)]) => {
                return unsupported(&format!("DEFAULT({column}) outside of an assignment"));
            }
            ("row", _) => return unsupported("ROW outside of a comparison"),
            _ => return Ok(None),
        }))
    }

    /// IF, CASE-like functions and those that only choose among their arguments.
    fn control(&mut self, name: &str, args: &[Node]) -> Result<Option<Node>, SqlError> {
        let wrong = || SqlError::wrong_paramcount_to_native_fct(name);
        Ok(Some(match (name, args) {
            ("if", [condition, yes, no]) => {
                self.case(vec![(condition.clone(), yes.clone())], Some(no.clone()))?
            }
            ("ifnull", [first, second]) => self.coalesce(&[first.clone(), second.clone()])?,
            ("coalesce", [_, ..]) => self.coalesce(args)?,
            ("nullif", [first, second]) => {
                let equal = self.compare_nodes(Comparison::Equal, first.clone(), second.clone())?;
                let ty = first.ty.clone().with_null(true);
                let branches = vec![(equal, Node::null())];
                Node {
                    op: Op::Case(branches, Some(Box::new(first.clone()))),
                    ty,
                }
            }
            ("isnull", [only]) => Node::boolean(Op::IsNull(Box::new(only.clone())), false),
            ("if" | "ifnull" | "coalesce" | "nullif" | "isnull", _) => return Err(wrong()),
            _ => return Ok(None),
        }))
    }

    /// CASE: the first branch whose condition holds, brought to the common type.
    pub(super) fn case(
        &self,
        branches: Vec<(Node, Node)>,
        otherwise: Option<Node>,
    ) -> Result<Node, SqlError> {
        let mut values: Vec<&Node> = branches.iter().map(|(_, value)| value).collect();
        let nothing = Node::null();
        values.push(otherwise.as_ref().unwrap_or(&nothing));
        let ty = Type::union(&values, &self.env, "case")?;
        let branches = branches
            .into_iter()
            .map(|(condition, value)| Ok((condition, self.converted(value, &ty)?)))
            .collect::<Result<_, SqlError>>()?;
        let otherwise = match otherwise {
            Some(node) => Some(Box::new(self.converted(node, &ty)?)),
            None => None,
        };
        Ok(Node {
            op: Op::Case(branches, otherwise),
            ty,
        })
    }

    fn coalesce(&self, args: &[Node]) -> Result<Node, SqlError> {
        let all: Vec<&Node> = args.iter().collect();
        let mut ty = Type::union(&all, &self.env, "coalesce")?;
        ty.nullable = args.iter().all(|node| node.ty.nullable);
        let nodes = args.iter().map(|node| self.converted(node.clone(), &ty));
        let nodes = nodes.collect::<Result<_, _>>()?;
        Ok(Node {
            op: Op::Coalesce(nodes),
            ty,
        })
    }

    /// The node as a value of `ty`; as it is when its class is already right.
    pub fn converted(&self, node: Node, ty: &Type) -> Result<Node, SqlError> {
        if node.ty.same_storage(ty) || node.as_const().is_some_and(|value| value.is_null()) {
            return Ok(node);
        }
        let nullable = node.ty.nullable;
        let ty = ty.clone().with_null(nullable);
        self.fold(Node {
            op: Op::Convert(Box::new(node)),
            ty,
        })
    }

    /// A call of a function of the table. Error 1305 for an unknown name, 1582 for a wrong number
    /// of arguments.
    pub fn call_named(&self, name: &str, args: Vec<Node>) -> Result<Node, SqlError> {
        let function = functions::find(name).ok_or_else(|| unknown_function(self, name))?;
        if args.len() < function.min || args.len() > function.max {
            return Err(SqlError::wrong_paramcount_to_native_fct(function.name));
        }
        let ty = (function.result)(&Signature {
            args: &args,
            env: &self.env,
            name: function.name,
        })?;
        self.fold(Node {
            op: Op::Call(function, args),
            ty,
        })
    }

    /// The domain in which two nodes compare.
    pub fn domain(&self, left: &Node, right: &Node) -> Result<Domain, SqlError> {
        Domain::of(left, right, &self.env, "comparison")
    }
}

fn values_deprecated() -> SqlError {
    SqlError::new(
        1287,
        "HY000",
        "'VALUES function' is deprecated and will be removed in a future release. Please use an \
         alias (INSERT INTO ... VALUES (...) AS alias) and replace VALUES(col) in the ON DUPLICATE \
         KEY UPDATE clause with alias.col instead",
    )
}

/// VALUES(column) of ON DUPLICATE KEY UPDATE: the value that the INSERT gave. NULL anywhere else.
fn inserted_value(column: &Ident, scope: &Scope<'_>) -> Result<Node, SqlError> {
    let Some(relation) = scope.relation(INSERTED) else {
        return Ok(Node::null());
    };
    let found = relation
        .column(&column.value)
        .map(|column| column.node.clone());
    found.ok_or_else(|| SqlError::bad_field(&column.value, "field list"))
}

fn unknown_function(binder: &Binder<'_>, name: &str) -> SqlError {
    let database = binder.session.database.as_deref();
    let full = database.map_or_else(|| name.to_owned(), |database| format!("{database}.{name}"));
    if functions::is_reserved_for_later(&name.to_ascii_lowercase()) {
        return SqlError::not_supported(format!("function {}", name.to_ascii_uppercase()));
    }
    SqlError::sp_does_not_exist("FUNCTION", full)
}
