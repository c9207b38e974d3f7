//! Tests of the language: its behaviour by example, and proofs by generated programs, oracles and a corpus.

pub(crate) mod behaviour;
mod corpus;
mod dates;
mod decimals;
mod generate;
mod hostile;
mod printed;
mod properties;
mod replay;
mod warnings;
mod world;

use proptest::test_runner::Config;

/// Cases per property: `PROPTEST_CASES`, else 256.
fn cases() -> Config {
    Config { max_shrink_iters: 20_000, ..Config::default() }
}

/// For programs that use up their whole budget of steps.
fn few_cases() -> Config {
    let cases = cases();
    Config { cases: cases.cases.div_ceil(16), ..cases }
}
