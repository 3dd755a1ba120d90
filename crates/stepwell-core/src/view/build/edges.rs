//! Edges: which steps had been delivered to the code when one began (§3.3).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Builder;
use crate::status::StepStatus;

impl Builder<'_, '_> {
    /// Gives the steps of this run of the handler their edges.
    pub(super) fn fix_edges(&mut self) {
        let implied = self.implied();
        let from = self.edged;
        let edges: Vec<Vec<Arc<str>>> =
            self.followed.iter().skip(from).map(|after| self.edges(*after, &implied)).collect();
        self.edged += edges.len();
        for (step, after) in self.view.steps.iter_mut().skip(from).zip(edges) {
            step.after = after;
        }
    }

    /// For each count of ends, how many of them another one of them followed.
    fn implied(&self) -> Vec<u32> {
        let mut most = 0;
        let mut implied = alloc::vec![0];
        for position in &self.ends {
            let at = usize::try_from(*position).unwrap_or(usize::MAX);
            if !self.is_cancelled(at) {
                // What was cancelled was not delivered, and so stands for nothing that it followed.
                most = self.followed.get(at).copied().unwrap_or(0).max(most);
            }
            implied.push(most);
        }
        implied
    }

    fn is_cancelled(&self, place: usize) -> bool {
        self.run.steps().get(place).is_none_or(|step| step.status == StepStatus::Cancelled)
    }

    /// Of the first `after` ends, those that none of the others followed: the others are implied.
    fn edges(&self, after: u32, implied: &[u32]) -> Vec<Arc<str>> {
        let count = usize::try_from(after).unwrap_or(usize::MAX).min(self.ends.len());
        let implied = implied.get(count).and_then(|most| usize::try_from(*most).ok()).unwrap_or(0);
        let ends = self.ends.get(implied..count).unwrap_or_default();
        let places = ends.iter().filter_map(|position| usize::try_from(*position).ok());
        places
            .filter(|place| !self.is_cancelled(*place))
            .filter_map(|place| self.view.steps.get(place))
            .map(|step| step.id.clone())
            .collect()
    }
}
