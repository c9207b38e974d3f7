//! Drivers for chat and OA platforms. What is said here is what their wires have of their own: answers that are HTTP
//! 200 whatever happened. Operations, tokens and bodies are in the manifests, as with every vendor.

mod dingtalk;
mod dingtalk_stream;

pub use dingtalk::Dingtalk;
