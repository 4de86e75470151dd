//! Locking functions; see [`crate::user_locks`].

use std::time::Duration;

use crate::expr::function::{Call, Function};
use crate::expr::types::Type;
use crate::user_locks::Got;
use crate::value::datum::Datum;
use sql::error::SqlError;

/// A function of a lock's name, which may be NULL in a call: that is a wrong name.
const fn of_name(
    name: &'static str,
    count: usize,
    eval: fn(&Call<'_>) -> Result<Datum, SqlError>,
) -> Function {
    Function {
        name,
        min: count,
        max: count,
        strict: false,
        volatile: true,
        result: |_| Ok(Type::integer(21).with_null(true)),
        eval,
    }
}

pub(super) static FUNCTIONS: &[Function] = &[
    of_name("get_lock", 2, get_lock),
    of_name("release_lock", 1, release_lock),
    of_name("is_free_lock", 1, |call| {
        let holder = call.env.user_locks.holder(&name(call)?)?;
        Ok(Datum::Int(i64::from(holder.is_none())))
    }),
    of_name("is_used_lock", 1, |call| {
        let holder = call.env.user_locks.holder(&name(call)?)?;
        Ok(holder.map_or(Datum::Null, Datum::UInt))
    }),
    of_name("release_all_locks", 0, |call| {
        let released = call.env.user_locks.release_all(call.env.connection_id);
        Ok(Datum::UInt(released))
    }),
];

fn name(call: &Call<'_>) -> Result<String, SqlError> {
    match call.arg(0).is_null() {
        true => Err(SqlError::user_lock_wrong_name("NULL")),
        false => Ok(call.text(0).into_owned()),
    }
}

fn get_lock(call: &Call<'_>) -> Result<Datum, SqlError> {
    let name = name(call)?;
    // A year and longer is for ever, as a negative time is.
    let seconds = match call.arg(1).is_null() {
        true => 0.0,
        false => call.f64(1)?,
    };
    let is_bounded = (0.0..31_536_000.0).contains(&seconds);
    let timeout = is_bounded.then(|| Duration::from_secs_f64(seconds));
    let env = call.env;
    let got = env.user_locks.take(
        env.connection_id,
        &name,
        timeout,
        env.may_wait,
        &env.interrupt,
    )?;
    Ok(Datum::Int(match got {
        Got::Lock => 1,
        Got::TimedOut => 0,
    }))
}

fn release_lock(call: &Call<'_>) -> Result<Datum, SqlError> {
    let released = call
        .env
        .user_locks
        .release(call.env.connection_id, &name(call)?)?;
    Ok(released.map_or(Datum::Null, |released| Datum::Int(i64::from(released))))
}
