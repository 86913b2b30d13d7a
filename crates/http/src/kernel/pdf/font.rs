//! The fonts of the operations document: one for text and one for programs in the program itself, which hold what most companies'
//! names are written with, and files of the system for the rest.

use std::{fmt, fs, path::PathBuf, sync::LazyLock};

use krilla::text::{Font, GlyphId};
use skrifa::{
    FontRef, MetadataProvider,
    charmap::Charmap,
    instance::{LocationRef, Size},
    metrics::GlyphMetrics,
    string::StringId,
};

/// Stands where no font has a character, as printers do; what is copied is the character all the same.
pub(super) const MISSING: char = '〓';

static TEXT: LazyLock<Option<Face>> =
    LazyLock::new(|| Face::read(include_bytes!("../../../fonts/NotoSansCJKtc-Big5.otf")));
static PROGRAM: LazyLock<Option<Face>> =
    LazyLock::new(|| Face::read(include_bytes!("../../../fonts/NotoSansMonoCJKtc-Latin.otf")));

/// What a piece of text is set in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Style {
    Text,
    Bold,
    Program,
}

/// A font with what it has.
struct Face {
    font: Font,
    characters: Charmap<'static>,
    metrics: GlyphMetrics<'static>,
}

/// A character as one of the fonts has it.
#[derive(Clone)]
pub(super) struct Glyph {
    pub(super) font: Font,
    pub(super) id: GlyphId,
    /// In units of the type size.
    pub(super) advance: f32,
}

impl Face {
    /// The font of a file; of a collection the one for Traditional Chinese.
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let named = |index: &u32| {
            FontRef::from_index(bytes, *index).is_ok_and(|font| {
                let names = font.localized_strings(StringId::FAMILY_NAME);
                names.into_iter().any(|name| name.to_string().ends_with(" TC"))
            })
        };
        let index = (0..32).find(named).unwrap_or(0);
        let read = FontRef::from_index(bytes, index).ok()?;
        Some(Self {
            characters: read.charmap(),
            metrics: read.glyph_metrics(Size::unscaled(), LocationRef::default()),
            font: Font::new(bytes.into(), index)?,
        })
    }

    fn glyph(&self, c: char) -> Option<Glyph> {
        let id = self.characters.map(c)?;
        let advance = self.metrics.advance_width(id)? / self.font.units_per_em();
        Some(Glyph { font: self.font.clone(), id: GlyphId::new(id.to_u32()), advance })
    }
}

/// The fonts that there are; files are read when the first character needs them, once.
pub struct Fonts {
    files: Vec<PathBuf>,
    more: LazyLock<Vec<Face>, Box<dyn FnOnce() -> Vec<Face> + Send>>,
}

impl fmt::Debug for Fonts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Fonts").field(&self.files).finish()
    }
}

impl Fonts {
    /// Files of fonts, OpenType or TrueType, in turn, for characters that the program's own lack. One that is not there is passed
    /// over.
    #[must_use]
    pub fn new(files: &[PathBuf]) -> Self {
        let asked = files.to_vec();
        let read = move || asked.iter().filter_map(read).collect();
        Self { files: files.to_vec(), more: LazyLock::new(Box::new(read)) }
    }

    /// A character in a style; `None` where no font has it.
    pub(super) fn glyph(&self, c: char, style: Style) -> Option<Glyph> {
        let program = (style == Style::Program).then(|| PROGRAM.as_ref()).flatten();
        let own = program.into_iter().chain(TEXT.as_ref()).find_map(|face| face.glyph(c));
        own.or_else(|| self.more.iter().find_map(|face| face.glyph(c)))
    }
}

/// A file's font, kept as long as the program runs.
fn read(file: &PathBuf) -> Option<Face> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::info!(file = %file.display(), %error, "a font for rare characters is not there");
            return None;
        }
    };
    let face = Face::read(Vec::leak(bytes));
    if face.is_none() {
        tracing::warn!(file = %file.display(), "a file is no font");
    }
    face
}
