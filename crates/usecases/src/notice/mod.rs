//! Notices of abnormal use (注意事項 九): found by the service, handled by officers.

mod handle;
mod replay;
mod watch;

pub use handle::{HandleNotices, NoticeStep};
pub use replay::{ReplayAbuse, Replayed};
pub use watch::WatchUsage;
