//! What an act's content consists of, declared once: a struct of [`content!`] is read from what was typed, its
//! [`Group`] is what pages make a form of and the API document a schema.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    application::{ApplicationId, ClarificationId},
    attachment::{FileReference, MAX_FILES, check_set},
    consent::Consent,
    contact::Contact,
    key::{Environment, KeyId, Profile, Validity},
    notice::NoticeId,
    value::{
        AddressPolicy, Authority, CompanyName, ContactName, Description, EmailAddress, HostAddress,
        HostAddresses, KeyLabel, Landline, Mobile, Narrative, Purpose, Reason, Rule, UnifiedBusinessNumber,
    },
};
use uuid::Uuid;

use crate::{kernel::content::Fields, ports::KeyReader};

/// The members of an object.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The schema's name in the API document.
    pub name: &'static str,
    /// The schema's description.
    pub doc: &'static str,
    /// The members, in the order in which a page asks for them.
    pub fields: &'static [Field],
}

/// One member.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its description; empty where the name says it.
    pub doc: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it holds.
    pub shape: Shape,
}

/// What a member holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One line of text.
    Line {
        /// Greatest length in characters, where that is the rule.
        max: Option<usize>,
        /// What a browser fills in: a token of HTML's `autocomplete`.
        autocomplete: &'static str,
    },
    /// Text of several lines.
    Text {
        /// Greatest length in characters.
        max: usize,
    },
    /// A 統一編號: eight digits.
    BusinessNumber,
    /// A landline number.
    Landline,
    /// A mobile number.
    Mobile,
    /// An e-mail address.
    Email {
        /// Greatest length in characters.
        max: usize,
    },
    /// A UUID that the service gave; nobody types it.
    Identity,
    /// An instant, RFC 3339.
    Instant,
    /// A whole number.
    Integer {
        /// The smallest.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// One of these words, the usual one first.
    Choice(&'static [&'static str]),
    /// A public key as PEM.
    PublicKey,
    /// A list of host addresses.
    HostAddresses {
        /// The most.
        max: usize,
    },
    /// A list of files that were sent before.
    Files {
        /// The most.
        max: usize,
    },
    /// An object.
    Group(&'static Group),
    /// Consent to the texts that were shown: an object that a page asks for with one box.
    Consent(&'static Group),
}

/// What a content is read against.
pub(crate) struct Reading<'r> {
    /// The company that acts.
    pub(crate) ubn: UnifiedBusinessNumber,
    /// When the content was typed.
    pub(crate) now: DateTime<Utc>,
    pub(crate) addresses: AddressPolicy,
    pub(crate) keys: &'r dyn KeyReader,
}

/// A type that a member of a content can have.
pub(crate) trait Member: Sized {
    const SHAPE: Shape;
    const REQUIRED: bool = true;

    /// Reads it at a pointer; every broken rule is noted in `fields`.
    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self>;

    /// Whether something is at the pointer.
    fn is_given(fields: &Fields<'_>, at: &str) -> bool {
        fields.given(at) || (matches!(Self::SHAPE, Shape::Group(_)) && fields.has(at))
    }
}

impl<T: Member> Member for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const REQUIRED: bool = false;

    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        if T::is_given(fields, at) {
            return T::read(fields, at, with).map(Some);
        }
        fields.pass(at);
        Some(None)
    }
}

/// Declares the members of an object: their names in JSON and their types.
macro_rules! content {
    (
        $(#[doc = $doc:literal])*
        $visibility:vis struct $object:ident as $name:literal {
            $($(#[doc = $about:literal])* $seen:vis $member:ident as $json:literal: $type:ty,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        $visibility struct $object {
            $($(#[doc = $about])* $seen $member: $type,)*
        }

        impl $object {
            pub(crate) const GROUP: $crate::acts::schema::Group = $crate::acts::schema::Group {
                name: $name,
                doc: concat!($($doc),*),
                fields: &[$($crate::acts::schema::Field {
                    name: $json,
                    doc: concat!($($about),*),
                    required: <$type as $crate::acts::schema::Member>::REQUIRED,
                    shape: <$type as $crate::acts::schema::Member>::SHAPE,
                },)*],
            };

            /// Reads every member below a pointer, so that all broken rules are reported at once.
            #[allow(unused_variables, reason = "an object without members reads nothing")]
            pub(crate) fn read(
                fields: &mut $crate::kernel::content::Fields<'_>,
                at: &str,
                with: &$crate::acts::schema::Reading<'_>,
            ) -> Option<Self> {
                $(let $member = <$type as $crate::acts::schema::Member>::read(
                    fields, &format!("{at}/{}", $json), with,
                );)*
                Some(Self { $($member: $member?,)* })
            }
        }
    };
}
pub(crate) use content;

/// Texts that are parsed by their own type.
macro_rules! texts {
    ($($type:ty: $shape:expr,)*) => {$(
        impl Member for $type {
            const SHAPE: Shape = $shape;

            fn read(fields: &mut Fields<'_>, at: &str, _: &Reading<'_>) -> Option<Self> {
                fields.required(at, Self::parse)
            }
        }
    )*};
}

const fn line(max: usize, autocomplete: &'static str) -> Shape {
    Shape::Line { max: Some(max), autocomplete }
}

texts! {
    Authority: line(Self::MAX, "off"),
    CompanyName: line(Self::MAX, "organization"),
    ContactName: line(Self::MAX, "name"),
    Description: Shape::Text { max: Self::MAX },
    EmailAddress: Shape::Email { max: Self::MAX },
    KeyLabel: line(Self::MAX, "off"),
    Landline: Shape::Landline,
    Mobile: Shape::Mobile,
    Narrative: Shape::Text { max: Self::MAX },
    Reason: Shape::Text { max: Self::MAX },
    Rule: line(Self::MAX, "off"),
    UnifiedBusinessNumber: Shape::BusinessNumber,
}

/// Words of which one is chosen.
macro_rules! choices {
    ($($type:ident: $($word:ident),*;)*) => {$(
        impl Member for $type {
            const SHAPE: Shape = Shape::Choice(&[$($type::$word.as_str()),*]);

            fn read(fields: &mut Fields<'_>, at: &str, _: &Reading<'_>) -> Option<Self> {
                fields.required(at, |text| Self::parse(text).ok_or(Violation::ValueUnknown))
            }
        }
    )*};
}

choices! {
    Environment: Production, Sandbox;
    Profile: Legacy, Strict;
    Validity: TwoYears, OneYear, ThreeYears, Unlimited;
}

/// Identities that the service gave.
macro_rules! identities {
    ($($type:ident),*) => {$(
        impl Member for $type {
            const SHAPE: Shape = Shape::Identity;

            fn read(fields: &mut Fields<'_>, at: &str, _: &Reading<'_>) -> Option<Self> {
                fields.required(at, |text| Uuid::try_parse(text).map($type).map_err(|_| Violation::IdFormat))
            }
        }
    )*};
}

identities!(ApplicationId, ClarificationId, KeyId, NoticeId);

impl Member for HostAddresses {
    const SHAPE: Shape = Shape::HostAddresses { max: Self::MAX };

    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        let texts = fields.list(at);
        let mut parsed = Vec::with_capacity(texts.len());
        for (pointer, text) in &texts {
            if let Some(address) = fields.check(pointer, HostAddress::parse(text, with.addresses)) {
                if parsed.contains(&address) {
                    fields.refuse(pointer, Violation::Duplicate);
                }
                parsed.push(address);
            }
        }
        if parsed.len() < texts.len() {
            return None;
        }
        match Self::new(parsed) {
            // Told at its own place already.
            Err(Violation::Duplicate) => None,
            result => fields.check(at, result),
        }
    }
}

/// Files that were sent before; none where nothing is given.
#[derive(Debug)]
pub(crate) struct Files(pub(crate) Vec<FileReference>);

impl Files {
    /// Where they stand in the content of every act that has them.
    pub(crate) const POINTER: &str = "/attachments";
}

impl Member for Files {
    const SHAPE: Shape = Shape::Files { max: MAX_FILES };
    const REQUIRED: bool = false;

    fn read(fields: &mut Fields<'_>, at: &str, _: &Reading<'_>) -> Option<Self> {
        let texts = fields.list(at);
        let parsed: Vec<_> =
            texts.iter().filter_map(|(at, text)| fields.check(at, FileReference::parse(text))).collect();
        if parsed.len() < texts.len() {
            return None;
        }
        fields.check(at, check_set(&parsed).map(|()| Self(parsed)))
    }
}

content! {
    /// Whom to call and write to.
    struct ContactMembers as "Contact" {
        name as "name": ContactName,
        /// `(02)12345678` or `(02)12345678#1234`; this or the mobile number.
        landline as "landline": Option<Landline>,
        /// `09` and eight digits.
        mobile as "mobile": Option<Mobile>,
        email as "email": EmailAddress,
    }
}

impl Member for Contact {
    const SHAPE: Shape = Shape::Group(&ContactMembers::GROUP);

    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        let read = ContactMembers::read(fields, at, with);
        let landline = format!("{at}/landline");
        if !fields.given(&landline) && !fields.given(&format!("{at}/mobile")) {
            fields.refuse(&landline, Violation::PhoneRequired);
        }
        let ContactMembers { name, landline, mobile, email } = read?;
        Self::new(name, landline, mobile, email).ok()
    }
}

content! {
    /// By which authority's which rule the verification is needed (注意事項 四).
    struct PurposeMembers as "Purpose" {
        authority as "authority": Authority,
        rule as "rule": Rule,
        description as "description": Description,
    }
}

impl Member for Purpose {
    const SHAPE: Shape = Shape::Group(&PurposeMembers::GROUP);

    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        let PurposeMembers { authority, rule, description } = PurposeMembers::read(fields, at, with)?;
        Some(Self { authority, rule, description })
    }
}

/// The version of a text, as it was shown.
#[derive(Debug)]
struct Version(String);

impl Member for Version {
    const SHAPE: Shape = Shape::Line { max: None, autocomplete: "off" };

    fn read(fields: &mut Fields<'_>, at: &str, _: &Reading<'_>) -> Option<Self> {
        fields.required(at, |text| Ok(Self(text.to_owned())))
    }
}

content! {
    /// The versions that were read and accepted; see `GET /notices`.
    struct ConsentMembers as "Consent" {
        notice as "noticeVersion": Version,
        conduct as "conductVersion": Version,
    }
}

impl Member for Consent {
    const SHAPE: Shape = Shape::Consent(&ConsentMembers::GROUP);

    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        let ConsentMembers { notice, conduct } = ConsentMembers::read(fields, at, with)?;
        let given = Self::given(&notice.0, &conduct.0, with.now);
        let outdated = match given {
            Err(Violation::ConductVersionOutdated) => "conductVersion",
            Ok(_) | Err(_) => "noticeVersion",
        };
        fields.check(&format!("{at}/{outdated}"), given)
    }
}
