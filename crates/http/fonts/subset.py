"""Makes the fonts beside this file from Debian's fonts-noto-cjk, with fontTools:

    pip install fonttools && python subset.py

The first holds Big5's first level, the 5,401 most used characters, with its symbols; the second the Latin of programs.
"""

from fontTools import subset

SOURCE = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
LATIN = set(range(0x20, 0x7F))
MORE = {ord(c) for c in "\u00a0§·×…—–‘’“”←→•〓"}


def big5() -> set[int]:
    characters = set()
    for high in range(0xA1, 0xC9):
        for low in [*range(0x40, 0x7F), *range(0xA1, 0xFF)]:
            try:
                characters.add(ord(bytes([high, low]).decode("big5")))
            except UnicodeDecodeError:
                continue
    return characters


def written(face: int, characters: set[int], file: str) -> None:
    options = subset.Options()
    options.font_number = face
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    font = subset.load_font(SOURCE, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    subset.save_font(font, file, options)


written(3, LATIN | MORE | big5(), "NotoSansCJKtc-Big5.otf")
written(8, LATIN, "NotoSansMonoCJKtc-Latin.otf")
# For tests: two characters of plane 2, 𠮷 and 𠂉.
written(3, {0x20BB7, 0x20089}, "test-plane-2.otf")
