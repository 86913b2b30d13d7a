//! Why an act is refused although every field of it is valid.

use crate::words::words;

words! {
    /// Why an act is refused although every field of it is valid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
    #[error("{}", self.code())]
    pub enum Precondition(code) {
        /// `Apply` although access is active.
        AlreadyActive = "already-active",
        /// `ChangeAddress`, `Suspend` or a production key without active access.
        NotActive = "not-active",
        /// An open case of the same kind (one at a time).
        OpenCase = "open-case",
        /// Access was revoked for abuse or conduct and no improvement plan is approved (注意事項 十).
        ImprovementPlanNeeded = "improvement-plan-needed",
        /// Access was revoked because the company was not registered, and it still is not (注意事項 十一).
        RegistrationNotCurrent = "registration-not-current",
        /// The former number still holds access: it is to be suspended first (注意事項 八(三)).
        FormerNumberActive = "former-number-active",
        /// Another number that names this one as its former number holds access (注意事項 八(三)).
        SuccessorActive = "successor-active",
        /// Five keys are in force already.
        TooManyKeys = "too-many-keys",
        /// The organisation registered the same key before, and it is in force or was withdrawn.
        KeyKnown = "key-known",
        /// No such key in force.
        KeyUnknown = "no-such-key",
        /// No case of this organisation with that number.
        ApplicationUnknown = "application-unknown",
        /// No open clarification with that number.
        ClarificationUnknown = "clarification-unknown",
        /// No approved case yet, so there is nothing to act on.
        NothingHeld = "nothing-held",
        /// Access is revoked already.
        AlreadyRevoked = "already-revoked",
        /// Access is not revoked on a ground whose way back could be opened.
        NotRevoked = "not-revoked",
        /// No improvement plan is asked for.
        NoPlanNeeded = "no-plan-needed",
        /// No notice of this organisation with that number that waits for an explanation.
        NoticeUnknown = "notice-unknown",
        /// A file that was signed is not there any more.
        FileUnknown = "file-gone",
    }
}
