//! The run that this instance serves.

/// Whether the host asks for an early return: finish the page or the batch at hand and come back. 5 seconds after the
/// request the host abandons the call. Never asked outside of a component.
pub fn stop_requested() -> bool {
    cfg!(target_arch = "wasm32") && crate::bindings::shared::cofferdam::connector::run::stop_requested()
}
