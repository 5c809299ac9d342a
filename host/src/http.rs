//! The wire: routes, keys, problems. The only room that knows axum.
