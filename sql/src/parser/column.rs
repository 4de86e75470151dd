//! Column definitions: types, attributes, defaults.

use super::default::hex_bytes;
use super::refuse;
use crate::SqlMode;
use crate::ast::{
    CharsetSpec, Check, ColumnAttributes, ColumnDefinition, DataType, Generated, Member, TextType,
};
use crate::cursor::{Cursor, Failure, Parse};
use crate::error::SqlError;
use crate::lexer::Kind;

/// The arguments and suffixes of a numeric type.
struct Numeric {
    first: Option<u32>,
    second: Option<u32>,
    unsigned: bool,
    zerofill: bool,
}

impl Numeric {
    fn float(self) -> DataType {
        DataType::Float {
            precision: self.first,
            scale: self.second,
            unsigned: self.unsigned,
            zerofill: self.zerofill,
        }
    }
}

impl Cursor<'_> {
    /// `name type attributes`.
    pub(super) fn column_definition(&mut self) -> Parse<ColumnDefinition> {
        let name = self.identifier()?;
        self.column_behind_name(name)
    }

    pub(super) fn column_behind_name(&mut self, name: String) -> Parse<ColumnDefinition> {
        self.check_type_length(&name)?;
        let data_type = self.data_type()?;
        let attributes = self.column_attributes(&name)?;
        Ok(ColumnDefinition {
            name,
            data_type,
            attributes,
        })
    }

    /// Error 1439 for a length that no type could have.
    fn check_type_length(&self, column: &str) -> Parse<()> {
        let length = match self.tokens.get(self.at + 2).map(|token| &token.kind) {
            Some(Kind::Integer(text)) if self.is_symbol_ahead(1, "(") => text.parse::<u32>(),
            _ => return Ok(()),
        };
        length
            .map(drop)
            .map_err(|_| Failure::Sql(SqlError::too_big_display_width(column, u32::MAX)))
    }

    pub(crate) fn data_type(&mut self) -> Parse<DataType> {
        let word = match self.peek() {
            Kind::Word(word) => word.to_ascii_uppercase(),
            _ => return self.unexpected(),
        };
        let start = self.at;
        self.advance();
        if let Some(numeric) = self.numeric_type(&word)? {
            return Ok(numeric);
        }
        if let Some(text) = self.string_type(&word)? {
            return Ok(text);
        }
        if let Some(own) = self.mariadb_type(&word)? {
            return Ok(own);
        }
        Ok(match word.as_str() {
            "BOOL" | "BOOLEAN" => DataType::Bool,
            "SERIAL" => DataType::Serial,
            "BIT" => DataType::Bit {
                width: self.one_argument()?,
            },
            "DATE" => DataType::Date,
            "TIME" => DataType::Time {
                fsp: self.one_argument()?,
            },
            "DATETIME" => DataType::DateTime {
                fsp: self.one_argument()?,
            },
            "TIMESTAMP" => DataType::Timestamp {
                fsp: self.one_argument()?,
            },
            "YEAR" => {
                let width = self.one_argument()?;
                while self
                    .accept_any(&["UNSIGNED", "SIGNED", "ZEROFILL"])
                    .is_some()
                {}
                DataType::Year { width }
            }
            "JSON" => DataType::Json,
            "VECTOR" => DataType::Vector {
                length: self.one_argument()?,
            },
            "GEOMETRY" | "POINT" | "LINESTRING" | "POLYGON" | "MULTIPOINT" | "MULTILINESTRING"
            | "MULTIPOLYGON" | "GEOMETRYCOLLECTION" | "GEOMCOLLECTION" => {
                DataType::Geometry { name: word }
            }
            _ => {
                self.at = start;
                return self.unexpected();
            }
        })
    }

    fn numeric_type(&mut self, word: &str) -> Parse<Option<DataType>> {
        let real_is_float = self.options.sql_mode.contains(SqlMode::REAL_AS_FLOAT);
        let type_of: fn(Numeric) -> DataType = match word {
            "TINYINT" | "INT1" => |n| DataType::TinyInt {
                width: n.first,
                unsigned: n.unsigned,
                zerofill: n.zerofill,
            },
            "SMALLINT" | "INT2" => |n| DataType::SmallInt {
                width: n.first,
                unsigned: n.unsigned,
                zerofill: n.zerofill,
            },
            "MEDIUMINT" | "INT3" | "MIDDLEINT" => |n| DataType::MediumInt {
                width: n.first,
                unsigned: n.unsigned,
                zerofill: n.zerofill,
            },
            "INT" | "INTEGER" | "INT4" => |n| DataType::Int {
                width: n.first,
                unsigned: n.unsigned,
                zerofill: n.zerofill,
            },
            "BIGINT" | "INT8" => |n| DataType::BigInt {
                width: n.first,
                unsigned: n.unsigned,
                zerofill: n.zerofill,
            },
            "DECIMAL" | "NUMERIC" | "DEC" | "FIXED" => |n| DataType::Decimal {
                precision: n.first,
                scale: n.second,
                unsigned: n.unsigned,
                zerofill: n.zerofill,
            },
            "FLOAT" | "FLOAT4" => Numeric::float,
            "REAL" if real_is_float => Numeric::float,
            "DOUBLE" | "REAL" | "FLOAT8" => |n| DataType::Double {
                precision: n.first,
                scale: n.second,
                unsigned: n.unsigned,
                zerofill: n.zerofill,
            },
            _ => return Ok(None),
        };
        if word == "DOUBLE" {
            self.accept("PRECISION");
        }
        let is_double = matches!(word, "DOUBLE" | "REAL" | "FLOAT8");
        let (first, second) = self.two_arguments()?;
        if is_double && first.is_some() && second.is_none() {
            return self.unexpected();
        }
        let mut numeric = Numeric {
            first,
            second,
            unsigned: false,
            zerofill: false,
        };
        while let Some(suffix) = self.accept_any(&["UNSIGNED", "SIGNED", "ZEROFILL"]) {
            numeric.unsigned |= suffix != "SIGNED";
            numeric.zerofill |= suffix == "ZEROFILL";
        }
        Ok(Some(type_of(numeric)))
    }

    fn string_type(&mut self, word: &str) -> Parse<Option<DataType>> {
        Ok(Some(match word {
            "NATIONAL" | "NCHAR" | "NVARCHAR" => self.national_type(word)?,
            "CHAR" | "CHARACTER" => {
                if self.accept("VARYING") {
                    self.varchar()?
                } else {
                    DataType::Char {
                        length: self.one_argument()?,
                        charset: self.type_charset()?,
                    }
                }
            }
            "VARCHAR" | "VARCHARACTER" => self.varchar()?,
            "BINARY" => DataType::Binary {
                length: self.one_argument()?,
            },
            "VARBINARY" => DataType::VarBinary {
                length: self.required_argument()?,
            },
            "TINYTEXT" => self.text(TextType::Tiny)?,
            "TEXT" => self.text(TextType::Normal)?,
            "MEDIUMTEXT" => self.text(TextType::Medium)?,
            "LONGTEXT" => self.text(TextType::Long)?,
            "TINYBLOB" => DataType::Blob {
                size: TextType::Tiny,
                length: None,
            },
            "BLOB" => DataType::Blob {
                size: TextType::Normal,
                length: self.one_argument()?,
            },
            "MEDIUMBLOB" => DataType::Blob {
                size: TextType::Medium,
                length: None,
            },
            "LONGBLOB" => DataType::Blob {
                size: TextType::Long,
                length: None,
            },
            "LONG" => self.long_type()?,
            "ENUM" => {
                let members = self.parenthesised(Self::member)?;
                DataType::Enum {
                    members,
                    charset: self.type_charset()?,
                }
            }
            "SET" => {
                let members = self.parenthesised(Self::member)?;
                DataType::Set {
                    members,
                    charset: self.type_charset()?,
                }
            }
            _ => return Ok(None),
        }))
    }

    /// A member of ENUM or SET: a string, or its bytes in the column's character set.
    fn member(&mut self) -> Parse<Member> {
        let bytes = match self.peek() {
            Kind::Hex(digits) => hex_bytes(digits),
            Kind::Bit(digits) => crate::bytes_of_bits(digits).unwrap_or_default(),
            Kind::Word(_)
            | Kind::Quoted(_)
            | Kind::String(_)
            | Kind::Integer(_)
            | Kind::Decimal(_)
            | Kind::Float(_)
            | Kind::Symbol(_)
            | Kind::UserVariable(_)
            | Kind::SystemVariable { .. }
            | Kind::Parameter(_)
            | Kind::Bad
            | Kind::End => return self.string().map(Member::Text),
        };
        self.advance();
        Ok(Member::Bytes(bytes))
    }

    /// `LONG`, `LONG VARCHAR`, `LONG VARBINARY`.
    fn long_type(&mut self) -> Parse<DataType> {
        if self.accept("VARBINARY") {
            return Ok(DataType::Blob {
                size: TextType::Medium,
                length: None,
            });
        }
        if self.accept_any(&["CHAR", "CHARACTER"]).is_some() {
            self.expect("VARYING")?;
        } else {
            self.accept_any(&["VARCHAR", "VARCHARACTER"]);
        }
        self.text(TextType::Medium)
    }

    fn national_type(&mut self, word: &str) -> Parse<DataType> {
        let varying = match word {
            "NATIONAL" => {
                match self.expect_any(&["CHAR", "CHARACTER", "VARCHAR", "VARCHARACTER"])? {
                    "CHAR" | "CHARACTER" => self.accept("VARYING"),
                    _ => true,
                }
            }
            "NCHAR" => {
                self.accept_any(&["VARCHAR", "VARCHARACTER"]).is_some() || self.accept("VARYING")
            }
            _ => true,
        };
        let length = self.one_argument()?;
        let charset = CharsetSpec {
            charset: Some("utf8mb3".to_owned()),
            binary: self.accept("BINARY"),
            ..CharsetSpec::default()
        };
        match (varying, length) {
            (true, Some(length)) => Ok(DataType::VarChar { length, charset }),
            (true, None) => self.unexpected(),
            (false, length) => Ok(DataType::Char { length, charset }),
        }
    }

    fn varchar(&mut self) -> Parse<DataType> {
        Ok(DataType::VarChar {
            length: self.required_argument()?,
            charset: self.type_charset()?,
        })
    }

    fn text(&mut self, size: TextType) -> Parse<DataType> {
        let length = if size == TextType::Normal {
            self.one_argument()?
        } else {
            None
        };
        Ok(DataType::Text {
            size,
            length,
            charset: self.type_charset()?,
        })
    }

    fn one_argument(&mut self) -> Parse<Option<u32>> {
        if self.is_symbol("(") {
            self.required_argument().map(Some)
        } else {
            Ok(None)
        }
    }

    fn required_argument(&mut self) -> Parse<u32> {
        self.expect_symbol("(")?;
        let argument = self.small_integer()?;
        self.expect_symbol(")")?;
        Ok(argument)
    }

    fn two_arguments(&mut self) -> Parse<(Option<u32>, Option<u32>)> {
        if !self.accept_symbol("(") {
            return Ok((None, None));
        }
        let first = self.small_integer()?;
        let second = if self.accept_symbol(",") {
            Some(self.small_integer()?)
        } else {
            None
        };
        self.expect_symbol(")")?;
        Ok((Some(first), second))
    }

    /// CHARACTER SET and the shorthands behind a string type: one of them, and BINARY once before or
    /// behind it. COLLATE is one of the column's attributes.
    fn type_charset(&mut self) -> Parse<CharsetSpec> {
        self.mariadb_compressed()?;
        let mut spec = CharsetSpec::default();
        if self.accept("BYTE") {
            spec.charset = Some("binary".to_owned());
            return Ok(spec);
        }
        spec.binary = self.accept("BINARY");
        if self.accept("ASCII") {
            spec.charset = Some("latin1".to_owned());
        } else if self.accept("UNICODE") {
            return refuse("character set ucs2");
        } else if self.accept_all(&["CHARACTER", "SET"])
            || self.accept_all(&["CHAR", "SET"])
            || self.accept("CHARSET")
        {
            spec.charset = Some(self.charset_name()?);
        }
        if !spec.binary && spec.charset.is_some() {
            spec.binary = self.accept("BINARY");
        }
        Ok(spec)
    }

    fn column_attributes(&mut self, column: &str) -> Parse<ColumnAttributes> {
        let mut attributes = ColumnAttributes::default();
        while self.column_attribute(column, &mut attributes)? {}
        Ok(attributes)
    }

    fn column_attribute(&mut self, column: &str, found: &mut ColumnAttributes) -> Parse<bool> {
        let begins_expression = self.is_word("GENERATED") || self.is_word("AS");
        let only_collation = ColumnAttributes {
            collation: found.collation.clone(),
            repeated_collation: found.repeated_collation.clone(),
            ..ColumnAttributes::default()
        };
        // Of all attributes only COLLATE may stand before the expression.
        if begins_expression && *found != only_collation {
            return self.unexpected();
        }
        if self.accept_all(&["NOT", "NULL"]) {
            found.nullable = Some(false);
        } else if self.accept("NULL") {
            found.nullable = Some(true);
            found.null_behind_auto_increment = found.auto_increment;
        } else if self.accept("DEFAULT") {
            self.default_attribute(column, found)?;
        } else if self.accept_all(&["ON", "UPDATE"]) {
            match self.current_timestamp()? {
                Some(fsp) => found.on_update = Some(fsp),
                None => return self.unexpected(),
            }
        } else if self.accept("AUTO_INCREMENT") {
            found.auto_increment = true;
            found.null_behind_auto_increment = false;
        } else if self.accept("SERIAL") {
            self.expect("DEFAULT")?;
            self.expect("VALUE")?;
            found.auto_increment = true;
            found.nullable = Some(false);
            found.unique = true;
        } else if self.accept("UNIQUE") {
            self.accept("KEY");
            found.unique = true;
        } else if self.accept_all(&["PRIMARY", "KEY"]) || self.accept("KEY") {
            found.primary_key = true;
        } else if self.accept("COMMENT") {
            found.comment = Some(self.string()?);
        } else if self.is_word("COLLATE") {
            self.collate_attribute(found)?;
        } else if self.accept("INVISIBLE") {
            found.invisible = Some(true);
        } else if self.accept("VISIBLE") {
            found.invisible = Some(false);
        } else if self.is_word("REFERENCES") {
            found.references = Some(self.references(None, None, Vec::new())?);
        } else if self.accept("SRID") {
            found.srid = Some(self.integer()?);
        } else {
            return self.generated_or_check(column, found);
        }
        Ok(true)
    }

    /// `COLLATE x`, which a column has once.
    fn collate_attribute(&mut self, found: &mut ColumnAttributes) -> Parse<()> {
        let start = self.offset();
        self.advance();
        let collation = self.charset_name()?;
        if found.collation.is_some() {
            let error = crate::syntax_error(self.text, start);
            let near = error.message.find("near").unwrap_or_default();
            let near = error.message.get(near..).unwrap_or_default();
            let text = format!("Multiple COLLATE clauses {near}");
            let error = SqlError::new(1064, "42000", text);
            found.repeated_collation.get_or_insert((collation, error));
            return Ok(());
        }
        found.collation = Some(collation);
        Ok(())
    }

    fn generated_or_check(&mut self, column: &str, found: &mut ColumnAttributes) -> Parse<bool> {
        if self.mariadb_attribute(found)? {
            return Ok(true);
        }
        if self.accept_all(&["GENERATED", "ALWAYS"]) || self.is_word("AS") {
            self.expect("AS")?;
            let expression = self.parenthesised_expression()?;
            // PERSISTENT is MariaDB's word.
            let stored = self.accept("STORED") || (self.is_mariadb() && self.accept("PERSISTENT"));
            if !stored {
                self.accept("VIRTUAL");
            }
            found.generated = Some(Generated { expression, stored });
        } else if self.is_word("CHECK") || self.is_word("CONSTRAINT") {
            let name = if self.accept("CONSTRAINT") && !self.is_word("CHECK") {
                Some(self.identifier()?)
            } else {
                None
            };
            found.checks.push(self.check(name)?);
        } else if let Some(option) = self.accept_any(&["COLUMN_FORMAT", "STORAGE"]) {
            let values: &[&'static str] = match option {
                "STORAGE" => &["DEFAULT", "DISK", "MEMORY"],
                _ => &["DEFAULT", "FIXED", "DYNAMIC"],
            };
            let value = self.expect_any(values)?.to_owned();
            found.others.push((option.to_owned(), value));
        } else if let Some(option) =
            self.accept_any(&["ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"])
        {
            self.accept_symbol("=");
            let value = self.string()?;
            found.others.push((option.to_owned(), value));
        } else if self.is_word("COMPRESSED") {
            return refuse(&format!("COMPRESSED column '{column}'"));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `CHECK (expr) [[NOT] ENFORCED]`.
    pub(super) fn check(&mut self, name: Option<String>) -> Parse<Check> {
        self.expect("CHECK")?;
        let expression = self.parenthesised_expression()?;
        let enforced = !self.accept_all(&["NOT", "ENFORCED"]);
        self.accept("ENFORCED");
        Ok(Check {
            name,
            expression,
            enforced,
        })
    }
}
