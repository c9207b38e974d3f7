//! Rows that hold by day, that hang below others, that are numbered fields.

use super::tests::{fail, hold};

#[test]
fn of_rows_that_hold_by_day_the_one_with_the_highest_number_counts() {
    let rows = "[object('f', '20220101', 't', '99991231', 'n', '10'), object('f', '2022-01-01', 't', '9999-12-31', 'n', '9'), object('f', '2020-03-15', 't', '2021-12-31')]";
    hold(&[
        (&format!("effective_on({rows}, date('2021-12-31'), 'f', 't', 'n').f"), "\"2020-03-15\""),
        (&format!("effective_on({rows}, date('2022-01-01'), 'f', 't', 'n').n"), "\"10\""),
        (&format!("effective_on({rows}, date('2022-01-01'), 'f', 't').n"), "\"9\""),
        (&format!("effective_on({rows}, date('2020-03-14'), 'f', 't', 'n')"), "absent"),
        (&format!("effective_on({rows}, null, 'f', 't', 'n')"), "absent"),
        (&format!("map(effective_rows({rows}, 'f', 'n'), item.f)"), "[\"2020-03-15\",\"20220101\"]"),
        (&format!("map(effective_rows({rows}, 'f'), item.n ?? 'none')"), "[\"none\",\"9\"]"),
        // Text, such as an empty element, is no row.
        ("effective_rows(payload.name, 'f')", "[]"),
        ("effective_on(payload.name, date('2022-01-01'), 'f', 't')", "absent"),
        (
            "effective_on([object('n', 1), object('f', '00000000', 't', '0000-00-00', 'n', 2)], date('2022-01-01'), 'f', 't', 'n').n",
            "2",
        ),
    ]);
    fail(&[("effective_rows([object('f', '2022-02-30')], 'f')", "row 1 of the list: `f`: the value is not a day")]);
}

#[test]
fn what_hangs_below_items_keeps_the_item_it_hung_in() {
    let orders = "[object('id', 1, 'lines', [object('sku', 'a'), object('sku', 'b')]), object('id', 2, 'lines', object('sku', 'c')), object('id', 3, 'lines', ''), object('id', 4)]";
    hold(&[
        (&format!("map(unnest({orders}, 'order', 'lines'), item.sku & text(item.order.id))"), "[\"a1\",\"b1\",\"c2\"]"),
        ("map(unnest([object('a', object('b', [object('c', 1), object('c', 2)]))], 'top', 'a', 'b'), item.c)", "[1,2]"),
        ("unnest(payload.name, 'above', 'x')", "[]"),
        ("map(unnest(object('x', object('above', 1)), 'above', 'x'), is_empty(item.above))", "[true]"),
    ]);
}

#[test]
fn numbered_fields_become_rows() {
    let row = "object('LGA02', '1200', 'BET02', '500.00', 'LGA01', '1010', 'BET01', '15000.00', 'LGA03', '', 'BET03', '', 'LGA10', '1250', 'LGART', 'x')";
    hold(&[
        (&format!("map(numbered({row}, 'LGA', 'BET'), item.LGA)"), "[\"1010\",\"1200\",\"1250\"]"),
        (&format!("map(numbered({row}, 'LGA', 'BET'), item.BET ?? '-')"), "[\"15000.00\",\"500.00\",\"-\"]"),
        (&format!("numbered({row}, 'DAR', 'DAT')"), "[]"),
    ]);
}
