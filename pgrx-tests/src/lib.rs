//! Client-side tests of pg_assess live in `tests/`.
