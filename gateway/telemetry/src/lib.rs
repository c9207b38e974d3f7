//! Logs, spans and metrics.
//!
//! Logs go to standard error, as text or as JSON lines. With `OTEL_EXPORTER_OTLP_ENDPOINT` set, the same spans go to an
//! OTLP receiver over HTTP. A journey is one trace: [`within`] ties a span to the [`TraceContext`] that came with a
//! request, a bus message or a row, and [`context_of`] is what travels on.
//!
//! Nothing personal is ever a field of a log line or span; ids, names of connections, states and counts are.

mod metrics;

pub use metrics::Metrics;

use hub_tree::{TraceContext, env};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal as _;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// JSON, one object per line.
    Json,
}

/// Telemetry cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("telemetry: {0}")]
pub struct TelemetryError(String);

/// Keeps telemetry running; dropping it sends what is left.
pub struct Guard(Option<SdkTracerProvider>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            let _ = provider.shutdown();
        }
    }
}

/// Targets whose debug spans are ours; libraries speak only when something is wrong.
const OURS: &str = "hub";

/// Sets telemetry up for the process. `HRHUB_LOG` filters logs (such as `info` or `hub_flow=debug`);
/// `OTEL_EXPORTER_OTLP_ENDPOINT` names the OTLP/HTTP receiver.
///
/// # Errors
/// The receiver's address cannot be used, or telemetry was set up before.
pub fn start(format: LogFormat, quiet: bool) -> Result<Guard, TelemetryError> {
    // The client of the message broker takes every refusal for an error and prints messages that come back; what
    // matters of it is said by `hub_bus`.
    let default =
        if quiet { "error,lapin=off" } else { "warn,lapin=off,hub_flow=info,hub_bus=info,hub_store=info,hrhub=info" };
    let filter = EnvFilter::try_new(env::read("HRHUB_LOG").as_deref().unwrap_or(default))
        .map_err(|error| TelemetryError(format!("HRHUB_LOG: {error}")))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let provider = match env::read("OTEL_EXPORTER_OTLP_ENDPOINT") {
        Some(endpoint) => Some(provider(&endpoint)?),
        None => None,
    };
    let spans = provider.as_ref().map(|provider| {
        let ours = Targets::new().with_target(OURS, LevelFilter::DEBUG).with_default(LevelFilter::OFF);
        tracing_opentelemetry::layer().with_tracer(provider.tracer("hrhub")).with_location(false).with_filter(ours)
    });
    tracing_subscriber::registry()
        .with(spans)
        .with(lines.with_filter(filter))
        .try_init()
        .map_err(|error| TelemetryError(error.to_string()))?;
    Ok(Guard(provider))
}

fn provider(endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let traces = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(traces)
        .build()
        .map_err(|error| TelemetryError(format!("OTEL_EXPORTER_OTLP_ENDPOINT: {error}")))?;
    let resource = Resource::builder()
        .with_service_name(env::read("OTEL_SERVICE_NAME").unwrap_or_else(|| "hrhub".to_owned()))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Makes `span` a part of the journey that `context` belongs to.
#[must_use]
pub fn within(context: &TraceContext, span: Span) -> Span {
    let parent = SpanContext::new(
        TraceId::from_bytes(context.trace_id.to_be_bytes()),
        SpanId::from_bytes(context.span_id.to_be_bytes()),
        TraceFlags::new(context.flags),
        true,
        TraceState::default(),
    );
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    span
}

/// The context that travels on from `span`: the same journey, with this span as the cause when it is recorded.
#[must_use]
pub fn context_of(span: &Span, context: &TraceContext) -> TraceContext {
    let recorded = span.context();
    let recorded = recorded.span().span_context().clone();
    if recorded.is_valid() && u128::from_be_bytes(recorded.trace_id().to_bytes()) == context.trace_id {
        context.with_span(u64::from_be_bytes(recorded.span_id().to_bytes()))
    } else {
        *context
    }
}
