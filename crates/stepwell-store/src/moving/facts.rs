//! Single facts of a store.

use stepwell_core::time::Timestamp;

use super::row::{Field, Row};

/// What there is once in a store. Rows of [`Kind::Facts`](super::Kind::Facts) are made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// How far traces were exported, as ledgers note it.
    pub exported: Option<Vec<u8>>,
    /// The greatest engine time of anything that is stored.
    pub high_water: Timestamp,
    /// Under what API keys are hashed.
    pub pepper: Option<Vec<u8>>,
    /// What runners were given until then is void: a copy or a failover lost what came after.
    pub void_until: Option<Timestamp>,
}

impl Facts {
    /// Returns a row for each of them that is known.
    pub fn rows(&self) -> Vec<Row> {
        let row = |name: &str, number: Option<i64>, bytes: Option<&Vec<u8>>| {
            let number = number.map_or(Field::None, Field::Number);
            let bytes = bytes.map_or(Field::None, |bytes| Field::Bytes(bytes.clone()));
            vec![Field::Text(name.into()), number, bytes]
        };
        let mut rows = Vec::new();
        rows.extend(self.exported.as_ref().map(|bytes| row("exported", None, Some(bytes))));
        rows.push(row("high_water", Some(self.high_water.as_micros()), None));
        rows.extend(self.pepper.as_ref().map(|bytes| row("pepper", None, Some(bytes))));
        rows.extend(self.void_until.map(|at| row("void_until", Some(at.as_micros()), None)));
        rows
    }

    /// Reads them back. What is not known is left out.
    pub fn of(rows: &[Row]) -> Self {
        let mut facts = Self { high_water: Timestamp::MIN, ..Self::default() };
        for row in rows {
            match row.as_slice() {
                [Field::Text(name), Field::Number(number), _] => match &**name {
                    "high_water" => facts.high_water = Timestamp::from_micros(*number),
                    "void_until" => facts.void_until = Some(Timestamp::from_micros(*number)),
                    _ => {}
                },
                [Field::Text(name), _, Field::Bytes(bytes)] => match &**name {
                    "exported" => facts.exported = Some(bytes.clone()),
                    "pepper" => facts.pepper = Some(bytes.clone()),
                    _ => {}
                },
                _ => {}
            }
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts are what they were once they have been rows.
    #[test]
    fn facts_come_back() {
        let at = Timestamp::from_micros;
        let all = Facts {
            exported: Some(vec![1, 2]),
            high_water: at(5),
            pepper: Some(vec![3; 32]),
            void_until: Some(at(4)),
        };
        let few = Facts { high_water: at(-1), ..Facts::default() };
        for facts in [all, few] {
            let rows = facts.rows();
            assert_eq!(Facts::of(&rows), facts);
            let names: Vec<_> = rows.iter().map(|row| row[0].text().cloned()).collect();
            assert!(names.is_sorted(), "{names:?}");
        }
    }
}
