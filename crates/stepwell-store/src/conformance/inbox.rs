//! What the world does with messages between runs.

use std::sync::Arc;

use super::model::Model;
use super::world::{World, paged};
use crate::inbox::Message;

impl World<'_> {
    /// Tells whether the store holds the messages that the model holds.
    pub(super) fn holds(&self, model: &Model) -> bool {
        let expected: Vec<_> = model.inbox.values().cloned().collect();
        self.store().inbox(None, usize::MAX) == Ok(expected)
    }

    /// Asks for messages in pages of many sizes, and compares with the model.
    pub(super) fn check_inbox(&self) {
        let expected: Vec<_> = self.model.inbox.values().cloned().collect();
        for limit in [1, 3, 1_000] {
            let found = paged(limit, |after: Option<Arc<Message>>| {
                let after = after.map(|message| message.id);
                self.store().inbox(after.as_ref(), limit).unwrap()
            });
            assert_eq!(found, expected, "messages, by {limit}");
        }
    }
}
