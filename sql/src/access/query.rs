//! What queries touch.

use sqlparser::ast as sp;

use super::{Refusal, Right, TABLES_MAX, Walk, Walked, empty, none, refuse, same_name, table_name};
use crate::error::SqlError;

impl Walk {
    pub(super) fn query(&mut self, query: &sp::Query) -> Walked {
        self.deeper(1, |walk| walk.query_inside(query))
    }

    fn query_inside(&mut self, query: &sp::Query) -> Walked {
        none(query.fetch.as_ref(), "FETCH")?;
        none(query.for_clause.as_ref(), "FOR XML, JSON or BROWSE")?;
        none(query.settings.as_ref(), "SETTINGS")?;
        none(query.format_clause.as_ref(), "FORMAT")?;
        empty(&query.pipe_operators, "|>")?;
        let outer = self.ctes.len();
        let before = self.found.len();
        if let Some(with) = &query.with {
            self.with(with)?;
        }
        self.set_expr(&query.body)?;
        self.order_by(query.order_by.as_ref())?;
        self.limit(query.limit_clause.as_ref())?;
        if query
            .locks
            .iter()
            .any(|lock| lock.lock_type == sp::LockType::Update)
        {
            let read: Vec<_> = self.found.iter().skip(before).cloned().collect();
            for access in read {
                self.note(&access.table, Right::LockRows);
            }
        }
        self.ctes.truncate(outer);
        Ok(())
    }

    /// Every expression sees those before it, a recursive one also itself.
    fn with(&mut self, with: &sp::With) -> Walked {
        for cte in &with.cte_tables {
            none(cte.from.as_ref(), "FROM behind a common table expression")?;
            let name = cte.alias.name.value.clone();
            if with.recursive {
                self.ctes.push(name);
                self.query(&cte.query)?;
            } else {
                self.query(&cte.query)?;
                self.ctes.push(name);
            }
        }
        Ok(())
    }

    /// A chain of set operations leans to the left: as deep as it is long.
    fn set_expr(&mut self, body: &sp::SetExpr) -> Walked {
        let mut levels = 0;
        let mut arms = Vec::new();
        let mut rest = body;
        while let sp::SetExpr::SetOperation { left, right, .. } = rest {
            levels += 1;
            arms.push(&**right);
            rest = left;
        }
        arms.push(rest);
        self.deeper(levels, |walk| {
            arms.into_iter().rev().try_for_each(|arm| walk.arm(arm))
        })
    }

    fn arm(&mut self, arm: &sp::SetExpr) -> Walked {
        match arm {
            sp::SetExpr::Select(select) => self.select(select),
            sp::SetExpr::Query(query) => self.query(query),
            sp::SetExpr::SetOperation { .. } => self.deeper(1, |walk| walk.set_expr(arm)),
            sp::SetExpr::Values(values) => values
                .rows
                .iter()
                .try_for_each(|row| self.exprs(&row.content)),
            sp::SetExpr::Table(table) => {
                let Some(name) = &table.table_name else {
                    return refuse("TABLE without a name");
                };
                self.named(table.schema_name.clone(), name.clone());
                Ok(())
            }
            sp::SetExpr::Insert(_)
            | sp::SetExpr::Update(_)
            | sp::SetExpr::Delete(_)
            | sp::SetExpr::Merge(_) => refuse("a change of rows inside a query"),
        }
    }

    fn select(&mut self, select: &sp::Select) -> Walked {
        none(select.top.as_ref(), "TOP")?;
        none(select.exclude.as_ref(), "EXCLUDE")?;
        none(select.into.as_ref(), "SELECT ... INTO")?;
        none(select.prewhere.as_ref(), "PREWHERE")?;
        none(select.qualify.as_ref(), "QUALIFY")?;
        none(select.value_table_mode.as_ref(), "AS STRUCT")?;
        empty(&select.lateral_views, "LATERAL VIEW")?;
        empty(&select.connect_by, "CONNECT BY")?;
        empty(&select.cluster_by, "CLUSTER BY")?;
        empty(&select.distribute_by, "DISTRIBUTE BY")?;
        empty(&select.sort_by, "SORT BY")?;
        match &select.distinct {
            None | Some(sp::Distinct::All | sp::Distinct::Distinct) => {}
            Some(sp::Distinct::On(_)) => return refuse("DISTINCT ON"),
        }
        let outer = self.ctes.len();
        self.from(&select.from)?;
        for item in &select.projection {
            self.select_item(item)?;
        }
        self.maybe(select.selection.as_ref())?;
        match &select.group_by {
            sp::GroupByExpr::All(_) => return refuse("GROUP BY ALL"),
            sp::GroupByExpr::Expressions(exprs, modifiers) => {
                self.exprs(exprs)?;
                for modifier in modifiers {
                    match modifier {
                        sp::GroupByWithModifier::Rollup => {}
                        sp::GroupByWithModifier::Cube => return refuse("CUBE"),
                        sp::GroupByWithModifier::Totals => return refuse("TOTALS"),
                        sp::GroupByWithModifier::GroupingSets(_) => {
                            return refuse("GROUPING SETS");
                        }
                    }
                }
            }
        }
        self.maybe(select.having.as_ref())?;
        for sp::NamedWindowDefinition(_, window) in &select.named_window {
            match window {
                sp::NamedWindowExpr::NamedWindow(_) => {}
                sp::NamedWindowExpr::WindowSpec(spec) => self.window(spec)?,
            }
        }
        self.ctes.truncate(outer);
        Ok(())
    }

    fn select_item(&mut self, item: &sp::SelectItem) -> Walked {
        match item {
            sp::SelectItem::UnnamedExpr(expr) | sp::SelectItem::ExprWithAlias { expr, .. } => {
                self.expr(expr)
            }
            sp::SelectItem::ExprWithAliases { .. } => refuse("several aliases of one expression"),
            sp::SelectItem::QualifiedWildcard(kind, options) => {
                self.reads_columns = true;
                plain_wildcard(options)?;
                match kind {
                    sp::SelectItemQualifiedWildcardKind::ObjectName(_) => Ok(()),
                    sp::SelectItemQualifiedWildcardKind::Expr(_) => {
                        refuse("* behind an expression")
                    }
                }
            }
            sp::SelectItem::Wildcard(options) => {
                self.reads_columns = true;
                plain_wildcard(options)
            }
        }
    }

    /// A FROM: its tables count together.
    pub(super) fn from(&mut self, tables: &[sp::TableWithJoins]) -> Walked {
        let mut count = 0;
        for table in tables {
            self.table_with_joins(table, &mut count)?;
        }
        Ok(())
    }

    fn table_with_joins(&mut self, table: &sp::TableWithJoins, count: &mut usize) -> Walked {
        let lonely = table.joins.is_empty();
        self.factor(&table.relation, lonely, count)?;
        for join in &table.joins {
            self.factor(&join.relation, false, count)?;
            self.join(&join.join_operator)?;
        }
        Ok(())
    }

    fn join(&mut self, operator: &sp::JoinOperator) -> Walked {
        use sp::JoinOperator as Op;
        let constraint = match operator {
            Op::Join(constraint)
            | Op::Inner(constraint)
            | Op::Left(constraint)
            | Op::LeftOuter(constraint)
            | Op::Right(constraint)
            | Op::RightOuter(constraint)
            | Op::CrossJoin(constraint)
            | Op::StraightJoin(constraint) => constraint,
            Op::FullOuter(_)
            | Op::Semi(_)
            | Op::LeftSemi(_)
            | Op::RightSemi(_)
            | Op::Anti(_)
            | Op::LeftAnti(_)
            | Op::RightAnti(_)
            | Op::CrossApply
            | Op::OuterApply
            | Op::AsOf { .. }
            | Op::ArrayJoin
            | Op::LeftArrayJoin
            | Op::InnerArrayJoin => return refuse("this kind of join"),
        };
        match constraint {
            sp::JoinConstraint::On(expr) => self.expr(expr),
            sp::JoinConstraint::Using(_)
            | sp::JoinConstraint::Natural
            | sp::JoinConstraint::None => Ok(()),
        }
    }

    fn factor(&mut self, factor: &sp::TableFactor, lonely: bool, count: &mut usize) -> Walked {
        use sp::TableFactor as Factor;
        *count += 1;
        if *count > TABLES_MAX {
            let text = "Too many tables; MySQL can only use 61 tables in a join";
            return Err(Refusal::Limit(SqlError::new(1116, "HY000", text)));
        }
        match factor {
            Factor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints: _,
            } => {
                none(args.as_ref(), "a table function")?;
                empty(with_hints, "WITH hints of a table")?;
                none(version.as_ref(), "a version of a table")?;
                none(json_path.as_ref(), "a path behind a table")?;
                none(sample.as_ref(), "TABLESAMPLE")?;
                empty(partitions, "PARTITION")?;
                if *with_ordinality {
                    return refuse("WITH ORDINALITY");
                }
                let dual = name.to_string().eq_ignore_ascii_case("dual");
                if !(dual && lonely && alias.is_none()) {
                    let table = table_name(name)?;
                    self.named(table.database, table.name);
                }
                Ok(())
            }
            Factor::Derived {
                lateral,
                subquery,
                alias: _,
                sample,
            } => {
                none(sample.as_ref(), "TABLESAMPLE")?;
                if *lateral {
                    return refuse("LATERAL");
                }
                self.query(subquery)
            }
            Factor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                none(alias.as_ref(), "an alias of a join")?;
                *count -= 1;
                self.deeper(1, |walk| walk.table_with_joins(table_with_joins, count))
            }
            Factor::JsonTable { .. } => refuse("JSON_TABLE"),
            Factor::TableFunction { .. } | Factor::Function { .. } => refuse("a table function"),
            Factor::UNNEST { .. } => refuse("UNNEST"),
            Factor::OpenJsonTable { .. } => refuse("OPENJSON"),
            Factor::Pivot { .. } => refuse("PIVOT"),
            Factor::Unpivot { .. } | Factor::UnpivotExpr { .. } => refuse("UNPIVOT"),
            Factor::MatchRecognize { .. } => refuse("MATCH_RECOGNIZE"),
            Factor::XmlTable { .. } => refuse("XMLTABLE"),
            Factor::SemanticView { .. } => refuse("SEMANTIC_VIEW"),
        }
    }

    /// A table in FROM, unless the name is that of a common table expression.
    fn named(&mut self, database: Option<String>, name: String) {
        if database.is_none() && self.ctes.iter().any(|cte| same_name(cte, &name)) {
            return;
        }
        self.note(&crate::ast::TableName { database, name }, Right::Select);
    }

    fn order_by(&mut self, order: Option<&sp::OrderBy>) -> Walked {
        let Some(order) = order else { return Ok(()) };
        none(order.interpolate.as_ref(), "INTERPOLATE")?;
        match &order.kind {
            sp::OrderByKind::All(_) => refuse("ORDER BY ALL"),
            sp::OrderByKind::Expressions(parts) => self.order(parts),
        }
    }

    pub(super) fn order(&mut self, parts: &[sp::OrderByExpr]) -> Walked {
        for part in parts {
            none(part.with_fill.as_ref(), "WITH FILL")?;
            self.expr(&part.expr)?;
        }
        Ok(())
    }

    fn limit(&mut self, limit: Option<&sp::LimitClause>) -> Walked {
        match limit {
            None => Ok(()),
            Some(sp::LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            }) => {
                empty(limit_by, "LIMIT BY")?;
                self.maybe(limit.as_ref())?;
                self.maybe(offset.as_ref().map(|offset| &offset.value))
            }
            Some(sp::LimitClause::OffsetCommaLimit { offset, limit }) => {
                self.expr(offset)?;
                self.expr(limit)
            }
        }
    }
}

fn plain_wildcard(options: &sp::WildcardAdditionalOptions) -> Walked {
    none(options.opt_ilike.as_ref(), "* ILIKE")?;
    none(options.opt_exclude.as_ref(), "* EXCLUDE")?;
    none(options.opt_except.as_ref(), "* EXCEPT")?;
    none(options.opt_replace.as_ref(), "* REPLACE")?;
    none(options.opt_rename.as_ref(), "* RENAME")?;
    none(options.opt_alias.as_ref(), "an alias of *")
}
