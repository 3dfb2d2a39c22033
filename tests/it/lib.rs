//! Holds the tests of this package; there is nothing else in it.
