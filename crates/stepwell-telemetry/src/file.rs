//! The file in which flows are declared (§10.6): `.stepwell/flows.json`, and the form of `.failpath/flows.json`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use stepwell_core::duration;

use crate::flow::{DeclaredStep, EDGES_MAX, Flow, STEPS_MAX, refuse_name};
use crate::status::{Patience, QUIET_AFTER, STUCK_AFTER};

/// Most flows of a file.
pub const FLOWS_MAX: usize = 500;

/// How long a flow may wait.
const PATIENCE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_hours(30 * 24);

/// Something in a file that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, such as `flows[0].steps[2].key`; empty for the whole.
    pub path: String,
    /// What is wrong, and what is accepted.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, detail } = self;
        if path.is_empty() { f.write_str(detail) } else { write!(f, "`{path}`: {detail}") }
    }
}

/// Reads a file.
///
/// # Errors
/// Everything that is not accepted, in the order of the file.
pub fn read(text: &str) -> Result<Vec<Flow>, Vec<Fault>> {
    let whole: Value = serde_json::from_str(text).map_err(|error| {
        vec![Fault { path: String::new(), detail: format!("it is no JSON: {error}") }]
    })?;
    let mut reader = Reader::default();
    let flows = reader.whole(&whole);
    if reader.faults.is_empty() { Ok(flows) } else { Err(reader.faults) }
}

/// Reads the declaration of one flow: an entry of a file, in which the slug may be left out.
///
/// # Errors
/// Everything that is not accepted.
pub fn read_entry(slug: &str, entry: &Value) -> Result<Flow, Vec<Fault>> {
    let mut reader = Reader::default();
    let flow = reader.entry("", entry, Some(slug));
    match flow {
        Some(flow) if reader.faults.is_empty() => Ok(flow),
        _ => Err(reader.faults),
    }
}

/// Returns a flow as an entry of a file.
pub fn entry(flow: &Flow) -> Value {
    let step = |step: &DeclaredStep| {
        if step.name == step.key {
            json!({ "key": &*step.key })
        } else {
            json!({ "key": &*step.key, "name": &*step.name })
        }
    };
    let edge = |(from, to): &(Arc<str>, Arc<str>)| json!([&**from, &**to]);
    let mut entry = Map::new();
    entry.insert("slug".into(), json!(&*flow.slug));
    if flow.name != flow.slug {
        entry.insert("name".into(), json!(&*flow.name));
    }
    entry.insert("steps".into(), flow.steps.iter().map(step).collect());
    entry.insert("edges".into(), flow.edges.iter().map(edge).collect());
    let Patience { stuck_after, quiet_after } = flow.patience;
    for (field, value, usual) in
        [("stuckAfter", stuck_after, STUCK_AFTER), ("quietAfter", quiet_after, QUIET_AFTER)]
    {
        if value != usual {
            entry.insert(field.into(), duration::text(value).into());
        }
    }
    Value::Object(entry)
}

/// What fields there are.
const WHOLE: &[&str] = &["$schema", "flows"];
const ENTRY: &[&str] = &["slug", "name", "steps", "edges", "stuckAfter", "quietAfter"];
const STEP: &[&str] = &["key", "name"];

#[derive(Default)]
struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn fault(&mut self, path: impl Into<String>, detail: impl Into<String>) {
        self.faults.push(Fault { path: path.into(), detail: detail.into() });
    }

    fn whole(&mut self, whole: &Value) -> Vec<Flow> {
        let accepted = "accepted: an object with the field `flows`, a list of flows";
        let Value::Object(fields) = whole else {
            self.fault("", accepted);
            return Vec::new();
        };
        if is_foreign(whole) && !fields.contains_key("flows") {
            return self.entry("", whole, None).into_iter().collect();
        }
        let Some(Value::Array(entries)) = fields.get("flows") else {
            self.fault("flows", accepted);
            return Vec::new();
        };
        if !entries.iter().any(is_foreign) {
            self.only("", fields, WHOLE);
        }
        if entries.len() > FLOWS_MAX {
            self.fault("flows", format!("{} flows; accepted: up to {FLOWS_MAX}", entries.len()));
        }
        let mut known = BTreeSet::new();
        let mut flows = Vec::new();
        for (at, one) in entries.iter().enumerate().take(FLOWS_MAX) {
            let path = format!("flows[{at}]");
            let Some(flow) = self.entry(&path, one, None) else { continue };
            if !known.insert(Arc::clone(&flow.slug)) {
                self.fault(format!("{path}.slug"), format!("`{}` stands here twice", flow.slug));
            }
            flows.push(flow);
        }
        flows
    }

    /// Fields that are not known are faults, so that a slip of the pen does not pass for a wish.
    fn only(&mut self, path: &str, fields: &Map<String, Value>, known: &[&str]) {
        for field in fields.keys().filter(|field| !known.contains(&field.as_str())) {
            let accepted = known.join(", ");
            self.fault(join(path, field), format!("is not known here; accepted: {accepted}"));
        }
    }

    fn entry(&mut self, path: &str, entry: &Value, slug: Option<&str>) -> Option<Flow> {
        let Value::Object(fields) = entry else {
            self.fault(path, "accepted: an object with `slug` and `steps`");
            return None;
        };
        let begin = self.faults.len();
        let is_foreign = is_foreign(entry);
        let (head, head_path) = match fields.get("flow") {
            Some(Value::Object(head)) if is_foreign => (head, join(path, "flow")),
            _ => (fields, path.to_owned()),
        };
        if !is_foreign {
            self.only(path, fields, ENTRY);
        }
        let found = match (slug, head.contains_key("slug")) {
            (Some(slug), false) => Some(Arc::from(slug)),
            _ => self.name(&head_path, head, "slug"),
        };
        if let (Some(slug), Some(found)) = (slug, &found)
            && slug != &**found
        {
            self.fault(
                join(&head_path, "slug"),
                format!("it is `{found}`; accepted here: `{slug}`"),
            );
        }
        let name = if head.contains_key("name") {
            self.name(&head_path, head, "name")
        } else {
            found.clone()
        };
        let steps = self.steps(path, fields.get("steps"), is_foreign);
        let edges = self.edges(path, fields.get("edges"), &steps);
        let stuck_after = self.patience(path, fields, "stuckAfter", STUCK_AFTER);
        let quiet_after = self.patience(path, fields, "quietAfter", QUIET_AFTER);
        let (slug, name) = (found?, name?);
        let patience = Patience { stuck_after, quiet_after };
        (self.faults.len() == begin).then_some(Flow { slug, name, steps, edges, patience })
    }

    fn name(&mut self, path: &str, fields: &Map<String, Value>, field: &str) -> Option<Arc<str>> {
        let path = join(path, field);
        let accepted = "accepted: a text of 1 to 200 characters without control characters";
        match fields.get(field) {
            Some(Value::String(name)) => match refuse_name(name) {
                None => return Some(name.as_str().into()),
                Some(why) => self.fault(path, why),
            },
            Some(_) => self.fault(path, accepted),
            None => self.fault(path, format!("it is not there; {accepted}")),
        }
        None
    }

    fn steps(&mut self, path: &str, value: Option<&Value>, is_foreign: bool) -> Vec<DeclaredStep> {
        let path = join(path, "steps");
        let Some(Value::Array(values)) = value else {
            self.fault(path, "accepted: a list of steps, each with its `key`");
            return Vec::new();
        };
        if values.is_empty() || values.len() > STEPS_MAX {
            self.fault(&path, format!("{} steps; accepted: 1 to {STEPS_MAX}", values.len()));
        }
        let mut steps: Vec<DeclaredStep> = Vec::new();
        for (at, value) in values.iter().enumerate().take(STEPS_MAX) {
            let path = format!("{path}[{at}]");
            let Value::Object(fields) = value else {
                self.fault(path, "accepted: an object with `key`");
                continue;
            };
            let key = if is_foreign && !fields.contains_key("key") { "sdkStepKey" } else { "key" };
            if !is_foreign {
                self.only(&path, fields, STEP);
            }
            let Some(key) = self.name(&path, fields, key) else { continue };
            let name = if fields.contains_key("name") {
                self.name(&path, fields, "name")
            } else {
                Some(Arc::clone(&key))
            };
            if steps.iter().any(|step| step.key == key) {
                self.fault(path, format!("the key `{key}` stands here twice"));
            } else if let Some(name) = name {
                steps.push(DeclaredStep { key, name });
            }
        }
        steps
    }

    fn edges(
        &mut self,
        path: &str,
        value: Option<&Value>,
        steps: &[DeclaredStep],
    ) -> Vec<(Arc<str>, Arc<str>)> {
        let path = join(path, "edges");
        let accepted = "accepted: a list of pairs [\"from\", \"to\"] of keys of steps";
        let values = match value {
            // One after the other.
            None => {
                return steps
                    .windows(2)
                    .map(|two| (two[0].key.clone(), two[1].key.clone()))
                    .collect();
            }
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.fault(path, accepted);
                return Vec::new();
            }
        };
        if values.len() > EDGES_MAX {
            self.fault(&path, format!("{} edges; accepted: up to {EDGES_MAX}", values.len()));
        }
        let mut edges: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for (at, value) in values.iter().enumerate().take(EDGES_MAX) {
            let path = format!("{path}[{at}]");
            let Some((from, to)) = pair(value) else {
                self.fault(path, accepted);
                continue;
            };
            let find = |key: &str| steps.iter().find(|step| &*step.key == key);
            match (find(from), find(to)) {
                (Some(from), Some(to)) if from.key == to.key => {
                    self.fault(path, format!("`{}` leads to itself", from.key));
                }
                (Some(from), Some(to)) => {
                    let edge = (Arc::clone(&from.key), Arc::clone(&to.key));
                    if !edges.contains(&edge) {
                        edges.push(edge);
                    }
                }
                (None, _) => self.fault(path, format!("`{from}` is no step of this flow")),
                (_, None) => self.fault(path, format!("`{to}` is no step of this flow")),
            }
        }
        edges
    }

    fn patience(
        &mut self,
        path: &str,
        fields: &Map<String, Value>,
        field: &str,
        usual: Duration,
    ) -> Duration {
        let value = match fields.get(field) {
            None => return usual,
            Some(Value::String(text)) => duration::parse(text).ok(),
            Some(Value::Number(ms)) => ms.as_u64().map(Duration::from_millis),
            Some(_) => None,
        };
        value.filter(|value| PATIENCE.contains(value)).unwrap_or_else(|| {
            let accepted = duration::ACCEPTED;
            self.fault(join(path, field), format!("accepted: from 1ms to 30d, as {accepted}"));
            usual
        })
    }
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// Tells whether an entry has the other form.
fn is_foreign(entry: &Value) -> bool {
    let has_key = |step: &Value| step.get("sdkStepKey").is_some();
    entry.get("flow").is_some_and(Value::is_object)
        || entry
            .get("steps")
            .and_then(Value::as_array)
            .is_some_and(|steps| steps.iter().any(has_key))
}

fn pair(value: &Value) -> Option<(&str, &str)> {
    if let Value::Array(two) = value {
        let [from, to] = two.as_slice() else { return None };
        return Some((from.as_str()?, to.as_str()?));
    }
    let end = |names: [&str; 2]| names.iter().find_map(|name| value.get(name)?.as_str());
    Some((end(["from", "source"])?, end(["to", "target"])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §10.6: both files are read.
    #[test]
    fn both_forms_are_read() {
        let ours = r#"{"flows": [{"slug": "checkout", "name": "Checkout", "stuckAfter": "2m",
            "steps": [{"key": "a", "name": "A"}, {"key": "b"}], "edges": [["a", "b"]]}]}"#;
        let theirs = r#"{"version": 1, "flow": {"slug": "checkout", "name": "Checkout", "owner": "x"},
            "stuckAfter": 120000,
            "steps": [{"sdkStepKey": "a", "name": "A", "id": 1}, {"sdkStepKey": "b"}],
            "edges": [{"source": "a", "target": "b", "label": "then"}]}"#;
        let read_one = |text| read(text).expect("a file").remove(0);
        let flow = read_one(ours);
        assert_eq!(flow, read_one(theirs));
        assert_eq!(flow, read_one(&format!("{{\"flows\": [{theirs}]}}")));
        assert_eq!(flow.patience.stuck_after, Duration::from_mins(2));
        assert_eq!(read_entry("checkout", &entry(&flow)), Ok(flow));
    }

    #[test]
    fn without_edges_steps_follow_one_another() {
        let of = |edges: &str| {
            let text = format!(
                r#"{{"flows": [{{"slug": "s", "steps": [{{"key": "a"}}, {{"key": "b"}}]{edges}}}]}}"#
            );
            read(&text).expect("a file").remove(0).edges.len()
        };
        assert_eq!((of(""), of(r#", "edges": []"#)), (1, 0));
    }

    /// §10.6: what is not accepted is told with its place, all at once.
    #[test]
    fn every_fault_is_told_with_its_place() {
        let text = r#"{"flows": [
            {"slug": "", "steps": [], "edges": 1, "stuckAfter": "soon", "colour": "red"},
            {"slug": "b", "steps": [{"key": "x"}, {"key": "x"}, 7, {"name": "n"}],
             "edges": [["x", "y"], ["x", "x"], ["x"]]},
            {"slug": "c", "steps": [{"key": "x", "kee": 1}]},
            {"slug": "d", "steps": [{"key": "x"}]}, {"slug": "d", "steps": [{"key": "x"}]}
        ], "flow": []}"#;
        let faults = read(text).expect_err("faults");
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "flow",
                "flows[0].colour",
                "flows[0].slug",
                "flows[0].steps",
                "flows[0].edges",
                "flows[0].stuckAfter",
                "flows[1].steps[1]",
                "flows[1].steps[2]",
                "flows[1].steps[3].key",
                "flows[1].edges[0]",
                "flows[1].edges[1]",
                "flows[1].edges[2]",
                "flows[2].steps[0].kee",
                "flows[4].slug",
            ]
        );
        for text in ["", "7", "{}", r#"{"flows": {}}"#] {
            assert_eq!(read(text).expect_err("a fault").len(), 1, "{text}");
        }
        let other = read_entry("a", &json!({"slug": "b", "steps": [{"key": "x"}]}));
        assert_eq!(other.expect_err("a fault")[0].path, "slug");
    }
}
