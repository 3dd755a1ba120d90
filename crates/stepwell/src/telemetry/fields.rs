//! Fields of spans and events of `tracing`, as JSON.

use std::error::Error;
use std::fmt::Debug;

use serde_json::Value;
use tracing::field::{Field, Visit};

use super::fault::{Fault, Stack, calm};
use super::metadata::Object;
use crate::error::cut_at;

/// Most bytes of what is shown of a value.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// Fields with their values.
#[derive(Default)]
pub(super) struct Fields {
    values: Object,
    /// What stands behind an error, where one of the fields is one.
    causes: Vec<String>,
}

impl Fields {
    /// Reads fields.
    pub(super) fn of(record: impl FnOnce(&mut dyn Visit)) -> Self {
        let mut fields = Self::default();
        record(&mut fields);
        fields
    }

    /// Adds fields that were given a value later.
    pub(super) fn and(mut self, later: Self) -> Self {
        self.values.extend(later.values);
        self
    }

    /// Returns a field as a text; nothing where it is absent or empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            other => Some(other.to_string()),
        }
    }

    /// Returns the fields but for some.
    pub(super) fn without(mut self, names: &[&str]) -> Object {
        for name in names {
            self.values.remove(*name);
        }
        self.values
    }

    /// Describes the error that an event tells of: its message, and the field `error`.
    pub(super) fn fault(&self, stack: Stack) -> Fault {
        let texts = [self.text("message"), self.text("error")];
        let mut text = texts.into_iter().flatten().collect::<Vec<_>>().join(": ");
        if text.is_empty() {
            "an error without a text".clone_into(&mut text);
        }
        let mut fault = Fault::text(text);
        let has_stack = stack == Stack::Captured && !self.causes.is_empty();
        fault.stack = has_stack.then(|| self.causes.join("\n"));
        fault
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        // Those of the crate `log` say where in its code a line was made.
        if !field.name().starts_with("log.") {
            self.values.insert(field.name().to_owned(), value.into());
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, cut_at(value.to_owned(), TEXT_BYTES_MAX));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, cut_at(value.to_string(), TEXT_BYTES_MAX));
        let mut behind = value.source();
        while let Some(error) = behind {
            self.causes.push(format!("caused by {error}"));
            behind = error.source();
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = calm(|| format!("{value:?}")).unwrap_or_default();
        self.put(field, cut_at(text, TEXT_BYTES_MAX));
    }
}
