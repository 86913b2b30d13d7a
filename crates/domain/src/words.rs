//! Enumerations whose cases have a stable identifier. It is written out for each: what is stored, signed and sent does not follow
//! the renaming of a case.

/// Declares an enumeration, the method that tells the identifier of a case, all cases, and reading an identifier.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident($word:ident) { $($(#[$about:meta])* $case:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$about])* $case,)+
        }

        impl $name {
            /// Every case.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$case),+];

            /// Stable identifier.
            pub const fn $word(self) -> &'static str {
                match self {
                    $(Self::$case => $text,)+
                }
            }

            /// The case of an identifier.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|case| case.$word() == text)
            }
        }
    };
}
pub(crate) use words;
