//! The bridge into SQLite: our functions on its connections, and the program they run.
//!
//! SQLite text calls `my(n, inputs...)` for the n-th expression of the running [`Program`] and
//! `my_agg(n, inputs...)` for its n-th aggregate. The program is found through a stack in the
//! executing thread, so that statement texts stay the same for every execution and SQLite's
//! statement cache works. Invariant: a program is on the stack exactly while its statement steps.

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use rusqlite::Connection;
use rusqlite::functions::{Aggregate as SqliteAggregate, Context, FunctionFlags};
use rusqlite::types::{Value as Stored, ValueRef};

use super::aggregate::{Accumulator, Specification};
use super::env::Env;
use super::node::Node;
use super::types::Type;
use crate::value::datum::Datum;
use crate::value::memory;
use crate::value::stored::expression;
use sql::error::SqlError;

/// Rows of a recursive UNION DISTINCT for each level of `cte_max_recursion_depth`.
const STEPS_PER_LEVEL: u64 = 1000;

/// An expression whose leaves are numbered inputs.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The expression.
    pub node: Node,
    /// Types of the inputs.
    pub inputs: Vec<Type>,
}

/// A made-up table of a statement: types of its columns and its rows.
#[derive(Debug, Default)]
pub struct Rows {
    /// Types of the columns.
    pub types: Vec<Type>,
    /// Values.
    pub rows: Vec<Vec<Datum>>,
}

/// What the functions in a statement's text mean.
#[derive(Debug)]
pub struct Program {
    /// Expressions by number.
    pub expressions: Vec<Lowered>,
    /// Aggregates by number.
    pub aggregates: Vec<Specification>,
    /// Made-up tables by number.
    pub tables: Vec<Rows>,
    /// The statement's surroundings.
    pub env: Rc<Env>,
    /// Rows that recursive queries gave.
    steps: Cell<u64>,
    /// Bytes of the text that each expression gave last, which SQLite may hold still.
    given: RefCell<Vec<usize>>,
    /// What stopped an evaluation; SQLite itself only knows that something did.
    error: RefCell<Option<SqlError>>,
}

impl Program {
    /// A program without anything in it.
    pub fn new(env: Rc<Env>) -> Self {
        Self {
            expressions: Vec::new(),
            aggregates: Vec::new(),
            tables: Vec::new(),
            env,
            steps: Cell::new(0),
            given: RefCell::default(),
            error: RefCell::new(None),
        }
    }

    /// The level below `level` of a recursive query. Error 3636 beyond the deepest one.
    fn next_level(&self, level: u64) -> rusqlite::Result<i64> {
        let most = self.env.cte_max_recursion_depth;
        let next = level.saturating_add(1);
        if next >= most {
            return self.keep(Err(SqlError::cte_max_recursion_depth(
                most.saturating_add(1),
            )));
        }
        Ok(i64::try_from(next).unwrap_or(i64::MAX))
    }

    /// Counts a row of a recursive query that knows no levels. Error 3636 beyond
    /// [`STEPS_PER_LEVEL`] rows for each level that is allowed.
    fn next_step(&self) -> rusqlite::Result<bool> {
        let most = self.env.cte_max_recursion_depth;
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > most.saturating_mul(STEPS_PER_LEVEL) {
            return self.keep(Err(SqlError::cte_max_recursion_depth(
                most.saturating_add(1),
            )));
        }
        Ok(true)
    }

    /// Keeps an error that makes SQLite stop.
    pub fn keep<T>(&self, result: Result<T, SqlError>) -> rusqlite::Result<T> {
        result.map_err(|error| {
            let message = error.message.clone();
            *self.error.borrow_mut() = Some(error);
            rusqlite::Error::UserFunctionError(message.into())
        })
    }

    /// The error of an evaluation that made SQLite stop.
    pub fn take_error(&self) -> Option<SqlError> {
        self.error.take()
    }

    fn evaluate(&self, context: &Context<'_>) -> rusqlite::Result<Stored> {
        let number = number(context)?;
        let expression = self.expressions.get(number).ok_or_else(unknown_number)?;
        let sizes = (1..context.len()).map(|at| raw_size(context.get_raw(at)));
        let bytes = sizes.sum::<usize>().saturating_mul(2);
        let _room = self.keep(self.env.memory.room(bytes))?;
        let row = self.inputs(context, &expression.inputs);
        let node = &expression.node;
        let value = node.eval(&row, &self.env).and_then(|value| {
            self.give(number, memory::size(&value))?;
            Ok(value)
        });
        drop(row);
        self.keep(value.and_then(|value| expression::encode(&value, &node.ty, &self.env.zone)))
    }

    /// Takes note of what an expression gives. Error 3170 when all of them hold too much.
    fn give(&self, number: usize, bytes: usize) -> Result<(), SqlError> {
        let mut given = self.given.borrow_mut();
        if given.len() <= number {
            given.resize(self.expressions.len().max(number + 1), 0);
        }
        let Some(last) = given.get_mut(number) else {
            return Ok(());
        };
        let before = std::mem::replace(last, bytes);
        if bytes == before {
            return Ok(());
        }
        self.env.memory.keep(bytes, before)?;
        let held = given
            .iter()
            .fold(0_usize, |sum, bytes| sum.saturating_add(*bytes));
        match bytes > 0 && held > memory::ROW_MAX {
            true => Err(row_too_large()),
            false => Ok(()),
        }
    }

    fn inputs(&self, context: &Context<'_>, types: &[Type]) -> Vec<Datum> {
        let given = types.iter().zip(1..context.len());
        given
            .map(|(ty, at)| expression::decode(context.get_raw(at), ty, &self.env.zone))
            .collect()
    }

    /// `my_rows(table)` counts, `my_rows(table, row, column)` reads.
    fn table_cell(&self, context: &Context<'_>) -> rusqlite::Result<Stored> {
        let table = self
            .tables
            .get(number(context)?)
            .ok_or_else(unknown_number)?;
        if context.len() == 1 {
            return Ok(Stored::Integer(
                i64::try_from(table.rows.len()).unwrap_or(i64::MAX),
            ));
        }
        let (row, column) = (context.get::<i64>(1)?, context.get::<i64>(2)?);
        let row = usize::try_from(row)
            .ok()
            .and_then(|row| table.rows.get(row));
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        let Some((value, ty)) = row
            .and_then(|row| row.get(column))
            .zip(table.types.get(column))
        else {
            return Ok(Stored::Null);
        };
        self.keep(expression::encode(value, ty, &self.env.zone))
    }
}

thread_local! {
    static RUNNING: RefCell<Vec<Rc<Program>>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a program on the stack while it lives.
#[derive(Debug)]
pub struct Running(());

impl Running {
    /// Puts a program on the stack of this thread.
    pub fn begin(program: &Rc<Program>) -> Self {
        RUNNING.with_borrow_mut(|stack| stack.push(Rc::clone(program)));
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(Vec::pop);
    }
}

fn running() -> rusqlite::Result<Rc<Program>> {
    RUNNING
        .with_borrow(|stack| stack.last().cloned())
        .ok_or_else(unknown_number)
}

/// Bytes of a value that grow with it.
pub const fn raw_size(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
    }
}

/// Error 3170 of a row.
pub fn row_too_large() -> SqlError {
    let advice = "Select fewer or shorter values.";
    memory::exceeded(memory::ROW_MAX, "the values of a row", advice)
}

fn unknown_number() -> rusqlite::Error {
    rusqlite::Error::UserFunctionError("no such expression is running".into())
}

fn number(context: &Context<'_>) -> rusqlite::Result<usize> {
    usize::try_from(context.get::<i64>(0)?).map_err(|_| unknown_number())
}

struct MyAggregate;

type State = AssertUnwindSafe<(usize, Accumulator)>;

impl SqliteAggregate<State, Stored> for MyAggregate {
    fn init(&self, context: &mut Context<'_>) -> rusqlite::Result<State> {
        Ok(AssertUnwindSafe((number(context)?, Accumulator::default())))
    }

    fn step(&self, context: &mut Context<'_>, state: &mut State) -> rusqlite::Result<()> {
        let program = running()?;
        let (number, accumulator) = &mut **state;
        let spec = program.aggregates.get(*number).ok_or_else(unknown_number)?;
        let row = program.inputs(context, &spec.inputs);
        program.keep(accumulator.step(spec, row, &program.env))
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<State>) -> rusqlite::Result<Stored> {
        let Some(AssertUnwindSafe((number, accumulator))) = state else {
            return Ok(Stored::Null);
        };
        let program = running()?;
        let spec = program.aggregates.get(number).ok_or_else(unknown_number)?;
        let value = accumulator.finish(spec, &program.env);
        program
            .keep(value.and_then(|value| expression::encode(&value, &spec.ty, &program.env.zone)))
    }
}

/// The only value of a scalar subquery. Error 1242 at the second row.
struct OnlyOne;

impl SqliteAggregate<Option<Stored>, Stored> for OnlyOne {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Option<Stored>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Option<Stored>) -> rusqlite::Result<()> {
        if state.is_some() {
            return running()?.keep(Err(SqlError::subquery_no_1_row()));
        }
        *state = Some(context.get(0)?);
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        state: Option<Option<Stored>>,
    ) -> rusqlite::Result<Stored> {
        Ok(state.flatten().unwrap_or(Stored::Null))
    }
}

/// Teaches a connection the functions that generated statements call.
pub fn register(connection: &Connection) -> rusqlite::Result<()> {
    let deterministic = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let evaluate = |context: &Context<'_>| running()?.evaluate(context);
    connection.create_scalar_function("my", -1, deterministic, evaluate)?;
    connection.create_scalar_function("my_volatile", -1, FunctionFlags::SQLITE_UTF8, evaluate)?;
    connection.create_scalar_function("my_rows", -1, deterministic, |context| {
        running()?.table_cell(context)
    })?;
    let plain = FunctionFlags::SQLITE_UTF8;
    connection.create_scalar_function("my_level", 1, plain, |context| {
        running()?.next_level(context.get::<i64>(0)?.unsigned_abs())
    })?;
    connection.create_scalar_function("my_step", 0, plain, |_| running()?.next_step())?;
    connection.create_aggregate_function("my_one", 1, FunctionFlags::SQLITE_UTF8, OnlyOne)?;
    connection.create_aggregate_function("my_agg", -1, FunctionFlags::SQLITE_UTF8, MyAggregate)
}
