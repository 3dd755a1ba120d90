//! Input schemas of workflows: compiled once, checked before a run is started (§9.1).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jsonschema::Validator;
use serde_json::Value;
use serde_json::value::RawValue;
use stepwell_core::code::Code;
use stepwell_protocol::to_node;
use stepwell_store::batch::Workflow;

use crate::error::{Error, Place};

/// Most places that an answer lists.
const PLACES_MAX: usize = 20;

/// A namespace and a workflow.
type Name = (Arc<str>, Arc<str>);

/// The validators of one workflow's apps.
type Apps = HashMap<Arc<str>, Option<Arc<Validator>>>;

/// What is known of every workflow's input.
#[derive(Debug, Default)]
pub struct Schemas {
    /// By namespace and workflow, then by app.
    known: RwLock<HashMap<Name, Apps>>,
}

impl Schemas {
    /// Takes over what a workflow says of its input. A schema that is not one is left to the
    /// runner's own check, with a warning here.
    pub fn set(&self, workflow: &Workflow) {
        let validator = compile(&workflow.options).unwrap_or_else(|why| {
            let Workflow { namespace, app, name, .. } = workflow;
            tracing::warn!(%namespace, %app, workflow = %name, why, "the input schema cannot be used");
            None
        });
        let key = (Arc::clone(&workflow.namespace), Arc::clone(&workflow.name));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let apps = known.entry(key).or_default();
        apps.insert(Arc::clone(&workflow.app), validator.map(Arc::new));
    }

    /// Checks an input. Where the app is not given and several have the workflow, nothing is
    /// checked: the node refuses the start.
    ///
    /// # Errors
    /// [`Code::InputInvalid`] with the places that do not fit.
    pub fn check(
        &self,
        namespace: &Arc<str>,
        (app, workflow): (Option<&str>, &str),
        input: Option<&RawValue>,
    ) -> Result<(), Error> {
        let Some(validator) = self.find(namespace, app, workflow) else { return Ok(()) };
        let text = input.map_or("null", RawValue::get);
        let value: Value = serde_json::from_str(text).map_err(|error| {
            Error::new(Code::BadRequest, format!("the input is not JSON: {error}"))
        })?;
        let places: Vec<Place> = validator
            .iter_errors(&value)
            .take(PLACES_MAX)
            .map(|error| Place {
                path: error.instance_path().to_string(),
                message: error.masked().to_string(),
            })
            .collect();
        let Some(first) = places.first() else { return Ok(()) };
        let at = if first.path.is_empty() { "the whole value" } else { &first.path };
        let detail = format!("the input of `{workflow}` does not fit at {at}: {}", first.message);
        Err(Error { places, ..Error::new(Code::InputInvalid, detail) })
    }

    fn find(
        &self,
        namespace: &Arc<str>,
        app: Option<&str>,
        workflow: &str,
    ) -> Option<Arc<Validator>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            return None;
        }
        let apps = known.get(&(Arc::clone(namespace), Arc::from(workflow)))?;
        match app {
            Some(app) => apps.get(app)?.clone(),
            None if apps.len() == 1 => apps.values().next()?.clone(),
            None => None,
        }
    }
}

/// Compiles the input schema in a workflow's options, if there is one.
///
/// # Errors
/// Why the schema cannot be used.
pub fn compile(options: &str) -> Result<Option<Validator>, String> {
    let options: to_node::Workflow<'_> =
        serde_json::from_str(options).map_err(|error| error.to_string())?;
    let Some(schema) = options.input_schema else { return Ok(None) };
    let schema: Value = serde_json::from_str(schema.get()).map_err(|error| error.to_string())?;
    jsonschema::validator_for(&schema).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use stepwell_core::time::Timestamp;

    use super::*;

    fn workflow(app: &str, schema: &str) -> Workflow {
        Workflow {
            namespace: "default".into(),
            app: app.into(),
            name: "pay".into(),
            options: format!(r#"{{"name":"pay","inputSchema":{schema}}}"#).into(),
            first_at: Timestamp::MIN,
            changed_at: Timestamp::MIN,
        }
    }

    fn check(schemas: &Schemas, app: Option<&str>, input: &str) -> Result<(), Error> {
        let input = RawValue::from_string(input.to_owned()).unwrap();
        schemas.check(&"default".into(), (app, "pay"), Some(&input))
    }

    const CENTS: &str = r#"{"type":"object","properties":{"items":{"type":"array",
        "items":{"type":"object","properties":{"cents":{"type":"integer"}}}}}}"#;

    /// §9.1: an input that does not fit its JSON Schema is refused with the path.
    #[test]
    fn the_place_that_does_not_fit_is_named() {
        let schemas = Schemas::default();
        schemas.set(&workflow("shop", CENTS));
        assert_eq!(check(&schemas, None, r#"{"items":[{"cents":5}]}"#), Ok(()));
        let refused = check(&schemas, Some("shop"), r#"{"items":[{"cents":5},{"cents":"5"}]}"#);
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, Code::InputInvalid);
        assert_eq!(refused.places[0].path, "/items/1/cents");
        assert!(refused.detail.contains("/items/1/cents"), "{}", refused.detail);
    }

    #[test]
    fn a_missing_input_is_null() {
        let schemas = Schemas::default();
        schemas.set(&workflow("shop", CENTS));
        assert!(schemas.check(&"default".into(), (None, "pay"), None).is_err());
    }

    #[test]
    fn what_cannot_be_decided_here_is_left_to_others() {
        let schemas = Schemas::default();
        assert_eq!(check(&schemas, None, "1"), Ok(()));
        schemas.set(&workflow("shop", CENTS));
        schemas.set(&workflow("mail", r#"{"type":"string"}"#));
        assert_eq!(check(&schemas, None, "1"), Ok(()));
        assert!(check(&schemas, Some("mail"), "1").is_err());
        schemas.set(&workflow("mail", r#"{"type":"no such type"}"#));
        assert_eq!(check(&schemas, Some("mail"), "1"), Ok(()));
    }

    /// References to files and addresses are not followed: the schema cannot be used.
    #[test]
    fn a_schema_reaches_nothing_outside() {
        for address in ["http://127.0.0.1:1/a.json", "file:///etc/hostname"] {
            let options = format!(r#"{{"name":"pay","inputSchema":{{"$ref":"{address}"}}}}"#);
            assert!(compile(&options).is_err(), "{address}");
        }
    }
}
