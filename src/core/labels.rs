//! Enums whose variants are words in SQL.

/// Gives an enum of plain variants its labels, in the order in which the variants are declared.
macro_rules! labels {
    ($type:ident { $first:ident => $first_label:literal $(, $variant:ident => $label:literal)* $(,)? }) => {
        impl $type {
            /// All of them, in order.
            pub const ALL: [Self; [$first_label $(, $label)*].len()] =
                [Self::$first $(, Self::$variant)*];

            /// What labels there are, in words.
            pub const EXPECTED: &str = concat!("one of ", $first_label $(, ", ", $label)*);

            /// The label in SQL.
            pub fn label(self) -> &'static str {
                match self {
                    Self::$first => $first_label,
                    $(Self::$variant => $label,)*
                }
            }

            /// The variant with this label.
            pub fn of_label(label: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|variant| variant.label() == label)
            }

            /// The place in the order, from 1.
            pub fn rank(self) -> i32 {
                self as i32 + 1
            }
        }
    };
}

pub(crate) use labels;
