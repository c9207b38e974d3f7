//! Reports for those who look after scores: rows in, a [`Report`] out; pure calculation.
//!
//! A report holds findings, tables and charts. Each finding tells how many rows it rests on, how sure it is and what it
//! does not show. A report is written as one page ([`page`]), as JSON ([`json`]), and each of its charts as a picture.
//! All statistics are those of the calculators; nothing is calculated here a second time.
//!
//! What a report suggests is a proposal: a person approves it, and nothing changes by itself. Groups of fewer than
//! [`FEWEST`] people are not shown. Deliberately absent: clocks, stores and the network.

mod figures;
mod input;
mod json;
mod page;
pub mod portrait;
mod report;
mod reports;
mod text;

pub use figures::FEWEST;
pub use hub_trust::audit::Language;
pub use input::Wrong;
pub use json::json;
pub use page::{page, picture};
pub use report::{Bar, Cell, Chart, Ends, Finding, Kind, Plot, Proposal, Report, Table};
pub use reports::{
    Asked, Kind as ReportKind, REPORTS, attrition, courses, distribution, find, keywords, oversight, pay, programme,
    talent, thresholds, weak,
};
pub use text::Text;
