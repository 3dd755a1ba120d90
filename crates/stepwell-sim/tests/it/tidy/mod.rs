//! Checks on the source itself: what review would otherwise have to remember.
//!
//! | file | refuses |
//! | --- | --- |
//! | `archive` | files of an archive that are not there, not told of, or left out |
//! | `layers` | dependencies that point up; tokio where it does not belong; a large SDK tree |
//! | `licences` | dependencies whose licence is not permissive |
//! | `shape` | long files, code in `lib.rs` and `mod.rs`, crates without the workspace's lints |
//! | `words` | words that mean something else here; marks of unfinished work; skipped tests |
//! | `pages` | error codes without a page; targets of make that are not there |
//! | `places` | paths of one machine; registries other than crates.io |
//! | `contract` | statements that are half built, or shown by one SDK only; prints the table of tests |
//! | `semantics` | statements without a test, citations without a statement |
//! | `site` | links to files or headings that are not there; pages that cannot be found or are out of order |
//! | `snippets` | Rust on pages that no file has which is compiled |

mod archive;
mod contract;
mod layers;
mod licences;
mod pages;
mod places;
mod semantics;
mod shape;
mod site;
mod snippets;
mod tree;
mod words;
