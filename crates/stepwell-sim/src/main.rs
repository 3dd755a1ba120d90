//! The simulator's command line.

fn main() -> std::process::ExitCode {
    stepwell_sim::cli::main()
}
