//! SELECT, INSERT, REPLACE, UPDATE, DELETE, DO: read by `sqlparser`.

use sqlparser::ast as sp;

use sqlparser::tokenizer::{Span, Token as SpToken, TokenWithSpan};

use super::refuse;
use crate::ast::{Delete, Insert, Query, Statement, Update, Write};
use crate::cursor::{Cursor, Parse};
use crate::lexer::{Kind, Token};

impl Cursor<'_> {
    pub(super) fn select(&mut self) -> Parse<Statement> {
        self.refuse_into()?;
        if self.accept("TABLE") {
            return Ok(Statement::Query(Query::Select(
                self.delegate_with(&["SELECT", "*", "FROM"], |parser| parser.parse_query())?,
            )));
        }
        let starts_with = self.is_word("WITH");
        let query = self.delegate(|parser| parser.parse_query())?;
        match *query.body {
            sp::SetExpr::Insert(_) => self.unexpected(),
            sp::SetExpr::Update(_) if starts_with => {
                refuse("UPDATE with a common table expression")
            }
            sp::SetExpr::Delete(_) if starts_with => {
                refuse("DELETE with a common table expression")
            }
            sp::SetExpr::Update(_) | sp::SetExpr::Delete(_) => self.unexpected(),
            _ => Ok(Statement::Query(Query::Select(query))),
        }
    }

    /// SELECT ... INTO is not done; said here, because `sqlparser` reads only some of its forms.
    fn refuse_into(&self) -> Parse<()> {
        let into = self.tokens.iter().skip(self.at).any(
            |token| matches!(&token.kind, Kind::Word(word) if word.eq_ignore_ascii_case("INTO")),
        );
        if into {
            refuse("SELECT ... INTO")
        } else {
            Ok(())
        }
    }

    pub(super) fn insert(&mut self) -> Parse<Statement> {
        let replace = self.is_word("REPLACE");
        self.advance();
        // Priorities mean nothing here; `sqlparser` knows some of them only.
        self.accept_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"]);
        self.singular_value();
        let rows = self.inserted_rows()?;
        let statement = self.delegate(|parser| {
            let token = TokenWithSpan {
                token: SpToken::make_word("INSERT", None),
                span: Span::empty(),
            };
            parser.parse_insert(token)
        })?;
        let sp::Statement::Insert(mut insert) = statement else {
            return self.unexpected();
        };
        if insert.returning.is_some() {
            return refuse("INSERT ... RETURNING");
        }
        if insert.partitioned.is_some() {
            return refuse("PARTITION");
        }
        insert.replace_into = replace;
        if rows.is_some() {
            // What stands for the rows must be all that the statement inserts.
            let source = insert.source.as_mut().map(|source| source.body.as_mut());
            let Some(sp::SetExpr::Values(values)) = source else {
                return self.unexpected();
            };
            values.rows = Vec::new();
        }
        let insert = Box::new(Insert { insert, rows });
        Ok(if replace {
            Statement::Write(Write::Replace(insert))
        } else {
            Statement::Write(Write::Insert(insert))
        })
    }

    /// `INSERT ... VALUE (..)` is `VALUES`, but where a table's or a column's name stands.
    fn singular_value(&mut self) {
        let is = |kind: &Kind<'_>, words: &[&str]| matches!(kind, Kind::Word(word) if words.iter().any(|known| word.eq_ignore_ascii_case(known)));
        let (mut depth, mut expects_name) = (0_u32, true);
        let mut tokens = self.tokens.iter_mut().skip(self.at).take(400).peekable();
        while let Some(token) = tokens.next() {
            match &token.kind {
                Kind::Symbol("(") => depth = depth.saturating_add(1),
                Kind::Symbol(")") => depth = depth.saturating_sub(1),
                kind if depth == 0 && is(kind, &["VALUES", "SELECT", "SET", "WITH", "TABLE"]) => {
                    return;
                }
                kind if depth == 0 && !expects_name && is(kind, &["VALUE"]) => {
                    if tokens
                        .peek()
                        .is_some_and(|next| next.kind == Kind::Symbol("("))
                    {
                        token.kind = Kind::Word("VALUES");
                    }
                    return;
                }
                _ => {}
            }
            expects_name = token.kind == Kind::Symbol(".") || is(&token.kind, &["INTO", "IGNORE"]);
        }
    }

    pub(super) fn update(&mut self) -> Parse<Statement> {
        self.advance();
        self.accept("LOW_PRIORITY");
        let ignore = self.accept("IGNORE");
        self.join_comma_list();
        let statement = self.delegate(|parser| parser.parse_update(no_token()))?;
        let sp::Statement::Update(update) = statement else {
            return self.unexpected();
        };
        if update.from.is_some() || update.returning.is_some() {
            return self.unexpected();
        }
        Ok(Statement::Write(Write::Update(Box::new(Update {
            ignore,
            update,
        }))))
    }

    /// `UPDATE a, b SET`: the commas become cross joins.
    fn join_comma_list(&mut self) {
        let mut depth = 0_u32;
        let mut rest = self.tokens.split_off(self.at).into_iter();
        for mut token in rest.by_ref() {
            let mut join = None;
            let mut is_last = false;
            match &token.kind {
                Kind::Symbol("(") => depth += 1,
                Kind::Symbol(")") => depth = depth.saturating_sub(1),
                Kind::Word(word) if depth == 0 => is_last = word.eq_ignore_ascii_case("SET"),
                Kind::Symbol(",") if depth == 0 => {
                    join = Some(Token {
                        kind: Kind::Word("JOIN"),
                        ..token
                    });
                    token.kind = Kind::Word("CROSS");
                }
                Kind::End => is_last = true,
                _ => {}
            }
            self.tokens.push(token);
            self.tokens.extend(join);
            if is_last {
                break;
            }
        }
        self.tokens.extend(rest);
    }

    pub(super) fn delete(&mut self) -> Parse<Statement> {
        self.advance();
        self.accept("LOW_PRIORITY");
        self.accept("QUICK");
        let ignore = self.accept("IGNORE");
        self.drop_stars();
        let statement = self.delegate(|parser| parser.parse_delete(no_token()))?;
        let sp::Statement::Delete(delete) = statement else {
            return self.unexpected();
        };
        if delete.returning.is_some() {
            return refuse("DELETE ... RETURNING");
        }
        Ok(Statement::Write(Write::Delete(Box::new(Delete {
            ignore,
            delete,
        }))))
    }

    /// `DELETE t.* FROM` is `DELETE t FROM`.
    fn drop_stars(&mut self) {
        let mut rest = self.tokens.split_off(self.at).into_iter().peekable();
        while let Some(token) = rest.next() {
            let star = Kind::Symbol("*");
            let next = rest.peek().map(|token| &token.kind);
            if token.kind == Kind::Symbol(".") && next == Some(&star) {
                rest.next();
                continue;
            }
            let is_last = match &token.kind {
                Kind::Word(word) => ["USING", "WHERE", "SET"]
                    .iter()
                    .any(|end| word.eq_ignore_ascii_case(end)),
                Kind::End => true,
                _ => false,
            };
            self.tokens.push(token);
            if is_last {
                break;
            }
        }
        self.tokens.extend(rest);
    }

    pub(super) fn do_expressions(&mut self) -> Parse<Statement> {
        self.advance();
        Ok(Statement::Query(Query::Do(self.list(Self::expression)?)))
    }
}

fn no_token() -> TokenWithSpan {
    TokenWithSpan {
        token: SpToken::EOF,
        span: Span::empty(),
    }
}
