//! The HTTP service: API, pages, tokens, limits and metrics.
