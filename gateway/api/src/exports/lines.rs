//! `format=ndjson`: a record a line, each as `GET /v1/<collection>/{id}` gives it, written as they are read.

use crate::Api;
use crate::problem::Problem;
use crate::records::{View, Wanted};
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use hub_flow::access::Principal;
use hub_model::EntityType;
use hub_store::RecordFilter;
use hub_tree::{Arena, json};
use std::io;

/// Records that are read at once.
const PAGE: i64 = 200;

/// What is exported to whom.
struct Lines {
    api: Api,
    who: Principal,
    entity: &'static EntityType,
    view: View,
    filter: RecordFilter,
}

impl Lines {
    /// The lines of a page, and where the next one begins.
    async fn page(&self, after: String) -> Result<(Bytes, Option<String>), Problem> {
        let wanted = Wanted {
            api: &self.api,
            tenant: &self.who.tenant,
            entity: self.entity,
            view: &self.view,
            filter: &self.filter,
        };
        let (rows, next) = wanted.page(after, PAGE).await?;
        let beside = self.view.beside(&self.api, &self.who, &rows).await?;
        let mut lines = String::new();
        for row in &rows {
            let arena = Arena::new();
            lines.push_str(&json::to_string(&self.view.shown(&self.api, row, &beside, &arena)?));
            lines.push('\n');
        }
        Ok((Bytes::from(lines), next))
    }
}

/// A collection as lines.
pub(super) async fn export(
    api: &Api,
    who: Principal,
    entity: &'static EntityType,
    view: View,
    filter: RecordFilter,
) -> Result<Response, Problem> {
    let lines = Lines { api: api.clone(), who, entity, view, filter };
    let (first, next) = lines.page(String::new()).await?;
    let rest = stream::unfold((lines, next), |(lines, next)| async move {
        let page = lines.page(next?).await;
        // What ends before its time must not look whole: the connection breaks off.
        Some(match page {
            Ok((bytes, next)) => (Ok(bytes), (lines, next)),
            Err(problem) => {
                tracing::warn!(code = problem.code(), "an export breaks off");
                (Err(io::Error::other("the store does not answer")), (lines, None))
            }
        })
    });
    let body = Body::from_stream(stream::iter([Ok::<_, io::Error>(first)]).chain(rest));
    let name = format!("attachment; filename=\"{}.ndjson\"", entity.collection);
    let head = [(header::CONTENT_TYPE, "application/x-ndjson".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((head, body).into_response())
}
