//! Nobody grants what he does not hold, or touches an account above his own.
