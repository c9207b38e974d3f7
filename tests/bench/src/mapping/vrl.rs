//! The Vector Remap Language as a library.

use super::Contestant;
use anyhow::anyhow;
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Context, Program, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

pub struct Vrl {
    program: Program,
    state: RuntimeState,
    zone: TimeZone,
    out: Vec<u8>,
}

impl Vrl {
    pub fn new() -> anyhow::Result<Self> {
        let text = super::program("application.vrl")?;
        let compiled = vrl::compiler::compile(&text, &vrl::stdlib::all()).map_err(|errors| {
            let shown = vrl::diagnostic::Formatter::new(&text, errors).to_string();
            anyhow!("application.vrl:\n{shown}")
        })?;
        Ok(Self {
            program: compiled.program,
            state: RuntimeState::default(),
            zone: TimeZone::default(),
            out: Vec::new(),
        })
    }
}

impl Contestant for Vrl {
    fn run(&mut self, input: &[u8]) -> anyhow::Result<&[u8]> {
        let value: Value = serde_json::from_slice(input)?;
        let mut target =
            TargetValue { value, metadata: Value::Object(Default::default()), secrets: Secrets::default() };
        self.state.clear();
        let mut context = Context::new(&mut target, &mut self.state, &self.zone);
        let made = self.program.resolve(&mut context).map_err(|error| anyhow!("{error}"))?;
        self.out.clear();
        serde_json::to_writer(&mut self.out, &made)?;
        Ok(&self.out)
    }
}
