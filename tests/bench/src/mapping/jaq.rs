//! jq's language in jaq, as a library.

use super::Contestant;
use anyhow::{Context as _, anyhow};
use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::write::{Pp, write};
use jaq_json::{Val, read};

pub struct Jaq {
    filter: Filter<JustLut<Val>>,
    out: Vec<u8>,
}

impl Jaq {
    pub fn new() -> anyhow::Result<Self> {
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let text = super::program("application.jq")?;
        let arena = Arena::default();
        let modules = Loader::new(defs).load(&arena, File { code: text.as_str(), path: () });
        let modules = modules.map_err(|errors| anyhow!("application.jq: {errors:?}"))?;
        let filter = Compiler::default().with_funs(funs).compile(modules);
        let filter = filter.map_err(|errors| anyhow!("application.jq: {errors:?}"))?;
        Ok(Self { filter, out: Vec::new() })
    }
}

impl Contestant for Jaq {
    fn run(&mut self, input: &[u8]) -> anyhow::Result<&[u8]> {
        let input = read::parse_single(input).map_err(|error| anyhow!("{error}"))?;
        let context = Ctx::<JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let made = self.filter.id.run((context, input)).map(unwrap_valr).next().context("no result")?;
        let made = made.map_err(|error| anyhow!("{error}"))?;
        self.out.clear();
        write(&mut self.out, &Pp::default(), 0, &made)?;
        Ok(&self.out)
    }
}
