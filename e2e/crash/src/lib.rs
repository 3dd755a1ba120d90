//! Kills servers and runners under load and judges what they did.
