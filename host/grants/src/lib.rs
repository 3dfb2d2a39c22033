//! Decides what a connector may reach: asks, grants and policy become rights.
