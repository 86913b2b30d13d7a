//! Officers and what each role may do.

use crate::identity::identity;
use crate::words::words;

identity!(
    /// Identity of an officer's account.
    OfficerId
);

words! {
    /// The four roles of the console.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Role(as_str) {
        /// 承辦人: reviews cases.
        Reviewer = "reviewer",
        /// 主管: reviews cases and stands as second person.
        Supervisor = "supervisor",
        /// 稽核: reads.
        Auditor = "auditor",
        /// 管理員: manages officers and settings.
        Admin = "admin",
    }
}

/// What can be done in the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the queue, cases and organisations.
    ReadCases,
    /// Claim, release, ask, approve, reject.
    ReviewCases,
    /// Ask for a revocation, stop or reopen access, judge plans and notices.
    GovernAccess,
    /// Stand as second person: confirm a revocation that another officer asked for, or a sweep.
    Confirm,
    /// Search and export the audit log.
    ReadAudit,
    /// Add officers, change roles, reset second factors; change settings.
    ManageOfficers,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 6] = [
        Self::ReadCases,
        Self::ReviewCases,
        Self::GovernAccess,
        Self::Confirm,
        Self::ReadAudit,
        Self::ManageOfficers,
    ];
}

/// Whether `role` may do it; total, so that a new role or permission must be decided here.
pub const fn permits(role: Role, permission: Permission) -> bool {
    match permission {
        Permission::ReadCases => matches!(role, Role::Reviewer | Role::Supervisor | Role::Auditor),
        Permission::ReviewCases | Permission::GovernAccess => {
            matches!(role, Role::Reviewer | Role::Supervisor)
        }
        Permission::Confirm => matches!(role, Role::Supervisor),
        Permission::ReadAudit => matches!(role, Role::Auditor),
        Permission::ManageOfficers => matches!(role, Role::Admin),
    }
}
