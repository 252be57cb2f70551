"""Writes casefold.tsv: texts of letters, marks and digits as code points, and their compatibility
caseless form by Python's own Unicode tables, composed (The Unicode Standard, 3.13, D146).

    python3 casefold.py > casefold.tsv
"""
import re
import unicodedata

WORDS = r"""
Straße STRASSE MASSE Maße ẞ ﬁnaﬂ ﬃ ﬆ Ǆ ǅ ǆ Ǉ ǋ Ǳ İstanbul ISTANBUL ıSPARTA Iı CAFÉ Cafe\u0301
CAFE\u0301 naïve NAI\u0308VE Å \u212B A\u030A \u2126 \u212A ÆON Œuvre Ørsted Łódź ŽIŽEK
S\u0323\u0307 S\u0307\u0323 \u1E9B\u0323 ſ q\u0307\u0323 Việt VIỆT ĐÀ ΣΊΣΥΦΟΣ Σίσυφος ΌΣΟΣ ᾳ ᾼ ᾲ
ᾷ Α\u0345\u0301 α\u0301\u0345 Ὀδυσσεύς ῼ ϐ ϑ ϕ ϰ ϱ ϴ ϵ Ω ΐ ΰ МОСКВА Ёлка Е\u0308ЛКА Київ Ґанок
ЩИ Ѕ ԱԲԳ և Եւ ՄԻ ᲐᲑᲒ აბგ Ⴀ Ꭰ ꭰ Ᏸ ᏸ Ꙗ Ⲁ Ⰰ 𐐀 𐓐 𞤀 𖹀 Ꞵ Ꭓ ﷺ ﷲ لا ﻻ ﻼ ﺍﻟ عَرَبِي أَحْمَد ﭐ ٱ פּ שׁ שּׁ
ﬡ יִ עִבְרִית ハンカク ﾊﾝｶｸ ｶﾞ か\u3099 が パ ﾊﾟ ㌀ ㍻ ㌔ ㏒ ㎏ ㎒ 한국어 \u1112\u1161\u11AB \u1100\u1161\u11A8
\u3131 ﾡ 漢字 豈 \uF900 \u2F00 神 神 卿 हिन्दी क\u093C क़ বাংলা ড\u09BC தமிழ் கொ తెలుగు ಕನ್ನಡ ಕೊ
മലയാളം සිංහල ไทย กำ ລາວ ກຳ བོད \u0F43 ཀ\u0F77 မြန်မာ ខ្មែរ አማርኛ ᐃᓄᒃ ＡＢＣ ｘｙｚ １２３ 𝟙𝟚𝟛 𝐀𝑩𝒞𝕯 𝚪𝛼 ℌ ℕ
ℓ ℻ ™ № ℡ ª º ᵃᵇ ʰʲ ₐₑ Ⓐ ⓩ 🄰 🅰 Ⅷ ⅻ Ⅿ ⅽ ٠١٢٣ ۴۵ ०१२ ൧൨ ๑๒ ၁၂ 𞥐 𑁦
""".split()


def d146(text):
    folded = unicodedata.normalize("NFD", text).casefold()
    folded = unicodedata.normalize("NFKD", folded).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", folded))


for word in WORDS:
    word = re.sub(r"\\u([0-9A-F]{4})", lambda found: chr(int(found[1], 16)), word)
    print(*(f"{ord(c):04X}" for c in word), end="\t")
    print(d146(word))
