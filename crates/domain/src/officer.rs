//! Officers and what each role may do.

use crate::identity::identity;

identity!(
    /// Identity of an officer's account.
    OfficerId
);

/// The four roles of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// 承辦人: reviews cases.
    Reviewer,
    /// 主管: reviews cases and stands as second person.
    Supervisor,
    /// 稽核: reads.
    Auditor,
    /// 管理員: manages officers and settings.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Reviewer, Self::Supervisor, Self::Auditor, Self::Admin];

    /// The word used in the API, the command line and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Supervisor => "supervisor",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The role of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
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
