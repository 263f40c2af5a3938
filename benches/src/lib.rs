//! What the mock endpoint and the reference client share. Criterion's benchmarks live in `benches/`.

pub mod sockets;
