//! Values of many rows, column by column.

use tokio_postgres::types::ToSql;

use crate::lane::Sql;

/// Columns of rows that a statement gets as arrays.
pub(super) struct Columns<'s> {
    sql: &'s mut Sql,
    arrays: Vec<String>,
    names: Vec<&'static str>,
}

impl<'s> Columns<'s> {
    /// Begins with none.
    pub(super) fn of(sql: &'s mut Sql) -> Self {
        Self { sql, arrays: Vec::new(), names: Vec::new() }
    }

    /// Adds a column of a type.
    pub(super) fn add<V>(mut self, name: &'static str, kind: &str, values: Vec<V>) -> Self
    where
        Vec<V>: ToSql,
        V: Sync + Send + 'static + std::fmt::Debug,
    {
        let value = self.sql.value(values);
        self.arrays.push(format!("{value}::{kind}[]"));
        self.names.push(name);
        self
    }

    /// Returns the rows as a table that is called `new`, and the names of its columns.
    pub(super) fn table(self) -> (String, String) {
        let names = self.names.join(", ");
        (format!("unnest({}) AS new ({names})", self.arrays.join(", ")), names)
    }
}
