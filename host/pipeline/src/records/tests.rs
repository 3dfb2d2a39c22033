use super::conformance::conformance;
use super::{MemoryRecords, RunRecords};
use std::sync::Arc;

#[tokio::test]
async fn records_in_memory_keep_every_promise() {
    conformance(async || Arc::new(MemoryRecords::new()) as Arc<dyn RunRecords>).await;
}
