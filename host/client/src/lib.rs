//! The builder's side of the HTTP API.
