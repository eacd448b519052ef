//! What people call a job's recording, as an entry of its memo: lists of workflows have memos and no inputs.

use temporalio_common::{Memo, MemoValues};
use temporalio_sdk::{MemoValue, WorkflowContext, WorkflowTermination};

const NAME_MEMO: &str = "name";

/// The name in a memo. Jobs of before there were names have none.
pub(crate) fn name_in(memo: &Memo) -> Option<String> {
    memo.get::<String>(NAME_MEMO).ok().flatten()
}

pub(crate) fn add_name(memo: &mut MemoValues, name: Option<&str>) {
    if let Some(name) = name {
        memo.insert(NAME_MEMO, name.to_owned());
    }
}

/// Leaves the name in the memo of a job that was started without it, as jobs of batches are: the SDK gives a child no memo.
pub(super) fn leave_name<W>(ctx: &WorkflowContext<W>, name: Option<&str>) -> Result<(), WorkflowTermination> {
    match name {
        Some(name) if name_in(&ctx.memo()).is_none() => {
            Ok(ctx.upsert_memo([(NAME_MEMO, Some(MemoValue::new(name.to_owned())))])?)
        }
        _ => Ok(()),
    }
}
