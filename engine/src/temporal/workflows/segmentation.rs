//! How much of a recording is in the store as work units, as its workflow knows.

use std::cmp::max;

use crate::temporal::{
    contracts::{Ingested, SegmentationProgress},
    progress::WorkflowProgress,
};

/// The units that are in the store.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Segmentation {
    pub(super) folder: String,
    pub(super) units: u32,
    chunks: u32,
    /// No more will come.
    pub(super) is_complete: bool,
}

impl Segmentation {
    /// Of two attempts the later one counts, which may have found other bytes at the same address.
    pub(super) fn extend(&mut self, reported: SegmentationProgress) {
        if self.is_complete {
            return;
        }
        let SegmentationProgress { folder, units, chunks } = reported;
        if self.folder == folder {
            (self.units, self.chunks) = (max(self.units, units), max(self.chunks, chunks));
        } else {
            *self = Self { folder, units, chunks, is_complete: false };
        }
    }

    pub(super) fn complete(&mut self, ingested: &Ingested) {
        let Ingested { folder, units, chunks, .. } = ingested;
        *self = Self { folder: folder.clone(), units: *units, chunks: *chunks, is_complete: true };
    }

    pub(super) fn show(&self, progress: &mut WorkflowProgress) {
        if progress.folder != self.folder {
            progress.chunks_done = 0;
        }
        progress.folder.clone_from(&self.folder);
        progress.chunks_total = self.chunks;
    }
}

#[cfg(test)]
mod tests {
    use super::{Segmentation, SegmentationProgress};

    #[test]
    fn reports_come_in_any_order_and_a_later_attempt_replaces_an_earlier_one() {
        let report = |folder: &str, units, chunks| SegmentationProgress { folder: folder.to_owned(), units, chunks };
        let mut segmentation = Segmentation::default();
        for (reported, expected) in
            [(report("a", 2, 20), ("a", 2, 20)), (report("a", 1, 8), ("a", 2, 20)), (report("b", 1, 9), ("b", 1, 9))]
        {
            segmentation.extend(reported.clone());
            let Segmentation { folder, units, chunks, .. } = &segmentation;
            assert_eq!((folder.as_str(), *units, *chunks), expected, "after {reported:?}");
        }
    }
}
