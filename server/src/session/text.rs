//! The text of a statement, from the client's character set to the parser's UTF-8.
//!
//! It does not judge the text: what is not valid in its character set stays as it is.

use std::borrow::Cow;

use engine::collation::Charset;
use sql::error::SqlError;

use super::Session;

impl Session {
    /// Statement text as UTF-8. Text that is not valid in its character set stays as it is: the
    /// lexer finds out whether it matters.
    pub(super) fn decoded<'a>(&self, sql: &'a [u8]) -> Result<Cow<'a, [u8]>, SqlError> {
        match self.context.character_set_client {
            Charset::Latin1 => Ok(match Charset::Latin1.decode(sql) {
                Ok(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
                Ok(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
                Err(_) => Cow::Borrowed(sql),
            }),
            _ => Ok(Cow::Borrowed(sql)),
        }
    }
}
