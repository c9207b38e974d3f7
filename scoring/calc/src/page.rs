//! How pages look that people get from a calculation: one file each, that needs nothing else.

/// Colours, text and lists; readable on a narrow phone and on paper.
pub const STYLE: &str = "
:root { color-scheme: light; --ink: #1c2430; --soft: #5b6675; --line: #d5dae1; --bar: #2f6f9f; --below: #b5482a; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; } h3 { font-size: 1.05rem; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } h2, h3 { break-after: avoid; }
  @page { margin: 15mm; } }
";

/// Tables: readable on a narrow phone, where each row becomes a block of its own that takes the heads from
/// `data-head`, and on paper, where no row is torn apart by a page. A table stands in a `.frame`.
pub const TABLES: &str = "
.frame { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .35rem .5rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap;
  font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 600; }
th:first-child, th:last-child, td:last-child { text-align: left; white-space: normal; min-width: 8rem; }
tbody th { color: var(--ink); font-weight: 400; }
table.numbers th:last-child:not(:first-child), table.numbers td:last-child { text-align: right; min-width: 0; }
td.text { text-align: left; white-space: normal; }
.flag { color: var(--below); font-weight: 600; }
@media screen and (max-width: 36rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr, tbody th { display: block; } tr { padding: .4rem 0; border-bottom: 1px solid var(--line); }
  tbody th { font-weight: 600; } th, td { border: 0; padding: .1rem 0; }
  td { display: flex; justify-content: space-between; gap: 1rem; } td::before { content: attr(data-head);
  color: var(--soft); white-space: nowrap; text-align: left; }
  td span { white-space: normal; text-align: right; }
}
@media print { .frame { overflow: visible; } section.table, tr { break-inside: avoid; } }
";
