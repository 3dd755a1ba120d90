//! A run in the words of another system.

use super::model::View;
use crate::status::Dialect;

impl View<'_> {
    /// Says where steps, their attempts and their compensations stand in the words of another system (§13.2). All else
    /// stays: statuses of runs, and that an attempt was `lost`.
    pub fn speak(&mut self, dialect: Dialect) {
        for step in &mut self.steps {
            step.word = dialect.says(step.status);
            for attempt in &mut step.attempts {
                attempt.status = dialect.instead_of(attempt.status);
            }
        }
        let Some(clean_up) = &mut self.clean_up else { return };
        for one in &mut clean_up.compensations {
            one.status = dialect.instead_of(one.status);
        }
        clean_up.on_failure = clean_up.on_failure.map(|word| dialect.instead_of(word));
    }
}
