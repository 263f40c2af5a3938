//! No code: the manifest enables the features that the tests of the other crates need.
