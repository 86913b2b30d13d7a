//! Whom the Ministry calls and writes to at an organisation.

use crate::{
    Violation,
    value::{ContactName, EmailAddress, Landline, Mobile},
};

/// The contact person: a name, at least one telephone number, an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    name: ContactName,
    landline: Option<Landline>,
    mobile: Option<Mobile>,
    email: EmailAddress,
}

impl Contact {
    /// Puts a contact together.
    ///
    /// # Errors
    /// [`Violation::PhoneRequired`] when neither number is given (**decided**: one of the two is enough).
    pub fn new(
        name: ContactName,
        landline: Option<Landline>,
        mobile: Option<Mobile>,
        email: EmailAddress,
    ) -> Result<Self, Violation> {
        if landline.is_none() && mobile.is_none() {
            return Err(Violation::PhoneRequired);
        }
        Ok(Self { name, landline, mobile, email })
    }

    /// The person's name.
    pub fn name(&self) -> &ContactName {
        &self.name
    }

    /// Landline number.
    pub fn landline(&self) -> Option<&Landline> {
        self.landline.as_ref()
    }

    /// Mobile number.
    pub fn mobile(&self) -> Option<&Mobile> {
        self.mobile.as_ref()
    }

    /// E-mail address, where every outcome is sent.
    pub fn email(&self) -> &EmailAddress {
        &self.email
    }
}
