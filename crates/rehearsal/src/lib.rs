//! What a policy would do to the objects of a cluster or a chart, as if they were created now.
//!
//! ```text
//! bytes ─► documents ─► objects ─┬► cluster (classes, namespaces, owners, nodes)      first pass
//!         (as kubectl reads)     └► requests (as the API server sends) ─► answers ─► outcomes ─► report
//! ```
pub mod api_server;
