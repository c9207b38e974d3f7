//! `GET /v1/payslips/{id}/pdf`: the payslip as its employee gets it.

use super::{file, sees_restricted};
use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::parameters;
use crate::records;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use hub_flow::audit::Entry;
use hub_flow::restricted;
use hub_model::entities::pay::PAYSLIP;
use hub_payroll::out::payslip::{Language, Refused};
use hub_service::payroll::{NotPrinted, print};

/// What to do about a font.
const CONFIGURE: &str = "name a font that has them in hub.yaml: payslips: { font: /path/to/font.ttc, font_index: 0 }";

pub(crate) async fn pdf(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    if collection != PAYSLIP.collection {
        return Err(Problem::not_found("only payslips are printed"));
    }
    sees_restricted(&who, PAYSLIP.name)?;
    let mut given = parameters(query.as_deref());
    let language = match given.take("language").as_deref() {
        None | Some("zh-CN") => Language::Chinese,
        Some("en") => Language::English,
        Some(_) => return Err(Problem::bad_parameter("language", "`language` is zh-CN or en", None)),
    };
    given.finish(&["language"])?;
    let row = records::find(&api, &who, &PAYSLIP, &id).await?;
    let made = print(&api.hub, &who.tenant, &row.id, (api.payout.face.as_ref(), language)).await;
    let bytes = made.map_err(|not| match not {
        NotPrinted::NotThere => Problem::not_found("there is no record with this id"),
        NotPrinted::Draft => Problem::conflict("the run of this payslip is not locked yet: nobody sees a draft")
            .next("lock the run first: POST /v1/payroll-runs/{id}:lock"),
        NotPrinted::NoFont => Problem::conflict("no font is set up that payslips are printed with").next(CONFIGURE),
        NotPrinted::Refused(why @ Refused::Lacks(_)) => {
            Problem::conflict(format!("the payslip cannot be printed: {why}")).next(CONFIGURE)
        }
        NotPrinted::Refused(why) => Problem::conflict(format!("the payslip cannot be printed: {why}"))
            .next("name another font in hub.yaml: payslips.font"),
        NotPrinted::Failed(failure) => failure.into(),
    })?;
    let told = Entry::by(&who, "payslip.printed").about(PAYSLIP.name, &row.id);
    api.hub.audit(told.purpose(restricted::purpose().as_deref())).await?;
    file(bytes, "application/pdf", &format!("payslip-{}.pdf", row.id))
}
