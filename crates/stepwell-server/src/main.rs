//! The binary `stepwell`.

use std::process::ExitCode;

/// Many small allocations on several threads: measured faster than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stepwell_server::cli::main()
}
