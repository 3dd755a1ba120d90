//! Says when the pages are to be embedded again: also where one was added.

fn main() {
    println!("cargo::rerun-if-changed=../../docs");
}
