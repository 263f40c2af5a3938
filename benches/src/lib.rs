//! Code that the mock endpoint and the reference client share. The Criterion benchmarks are in `benches/`.

pub mod sockets;
