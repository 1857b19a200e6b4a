package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// text is a text made ready for finding phrases in it: lower case, without accents, with
// a single space before and after every word and every punctuation mark.
type text struct {
	spaced string // Dashes stand as spaces: " on site ".
	joined string // Dashes inside a word are gone: " onsite "; "" where the text has none.
}

// phrase is one or more words to be found in a [text].
type phrase struct {
	text
	written string // As the user wrote it, for the trace.
}

// foldPhrase prepares a phrase; ok is false where it holds no letter and no digit, and so
// would be found everywhere or nowhere.
func foldPhrase(s string) (p phrase, ok bool) {
	p = phrase{text: fold(s), written: strings.Join(strings.Fields(s), " ")}
	return p, hasWord(s)
}

// has tells whether the words of p stand in t next to each other, as whole words.
func (t text) has(p phrase) bool {
	if strings.Contains(t.spaced, p.spaced) {
		return true
	}
	if t.joined != "" && strings.Contains(t.joined, p.spaced) {
		return true
	}
	if p.joined == "" {
		return false
	}
	return strings.Contains(t.spaced, p.joined) || t.joined != "" && strings.Contains(t.joined, p.joined)
}

// firstIn gives the first of the phrases that stands in t.
func firstIn(t text, phrases []phrase) (phrase, bool) {
	for _, p := range phrases {
		if t.has(p) {
			return p, true
		}
	}
	return phrase{}, false
}

// hasWord tells whether s holds anything but white space and punctuation.
func hasWord(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

// same folds s for comparing it as a whole: languages.
func same(s string) string { return fold(s).spaced }

// fold prepares a text. The way by bytes is for plain ASCII, which nearly every cell is;
// both ways give the same for it.
func fold(s string) text {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return foldRunes(s)
		}
	}
	var f folder
	f.grow(len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			f.letter(rune(c - 'A' + 'a'))
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			f.letter(rune(c))
		case c == '-' || c == '_':
			f.dash()
		case c <= ' ' || c == 0x7f:
			f.space()
		default:
			f.mark(rune(c))
		}
	}
	return f.text()
}

func foldRunes(s string) text {
	var f folder
	f.grow(len(s))
	// A broken byte would keep what follows it from being taken apart.
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, "\ufffd")) {
		switch {
		case accent(r):
		case r == '\u200b': // A zero-width space parts words, the other invisible characters don't.
			f.space()
		case unicode.Is(unicode.Cf, r):
		case unicode.IsSpace(r) || unicode.IsControl(r):
			f.space()
		case unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Pc, r) || r == '\u2212': // Minus.
			f.dash()
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			f.lower(unicode.ToLower(r))
		case r == '\u2019' || r == '\u2018' || r == '\u02bc':
			f.mark('\'')
		default:
			f.mark(r)
		}
	}
	return f.text()
}

// accent tells whether r is a mark that readers of the script leave out at will. The
// vowel signs of Indic scripts are marks too and are no accents: they stay.
func accent(r rune) bool {
	switch {
	case 0x0300 <= r && r <= 0x036f, // Latin, Greek, Cyrillic.
		0x1ab0 <= r && r <= 0x1aff, 0x1dc0 <= r && r <= 0x1dff, 0x20d0 <= r && r <= 0x20ff, 0xfe20 <= r && r <= 0xfe2f,
		0x0591 <= r && r <= 0x05bd, r == 0x05bf, r == 0x05c1, r == 0x05c2, r == 0x05c4, r == 0x05c5, r == 0x05c7, // Hebrew points.
		0x064b <= r && r <= 0x065f, r == 0x0670: // Arabic vowel marks.
		return true
	}
	return false
}

// folder builds a [text] character by character.
type folder struct {
	spaced, joined strings.Builder
	inWord         bool // The last character was a letter.
	dashed         bool // A dash came after a letter, and may be inside a word.
	dashes         bool
	size           int // To begin with.
}

func (f *folder) grow(n int) {
	f.size = n + n/8 + 8
	f.spaced.Grow(f.size)
	f.spaced.WriteByte(' ')
}

func (f *folder) lower(r rune) {
	// Letters that no decomposition takes apart, written plainly as often as not.
	switch r {
	case 'ß':
		f.letter('s')
		f.letter('s')
	case 'æ':
		f.letter('a')
		f.letter('e')
	case 'œ':
		f.letter('o')
		f.letter('e')
	case 'ø':
		f.letter('o')
	case 'ł':
		f.letter('l')
	case 'đ', 'ð':
		f.letter('d')
	case 'ħ':
		f.letter('h')
	case 'ı':
		f.letter('i')
	case 'ŧ':
		f.letter('t')
	case 'ς': // The Greek sigma at the end of a word.
		f.letter('σ')
	default:
		f.letter(r)
	}
}

func (f *folder) letter(r rune) {
	if f.dashed {
		f.dashed = false
		f.startJoined() // Only now is it known that the dash stands inside a word.
		f.spaced.WriteByte(' ')
	}
	f.spaced.WriteRune(r)
	if f.dashes {
		f.joined.WriteRune(r)
	}
	f.inWord = true
}

// startJoined begins the second form at the first dash inside a word; up to there both
// are the same.
func (f *folder) startJoined() {
	if !f.dashes {
		f.dashes = true
		f.joined.Grow(f.size)
		f.joined.WriteString(f.spaced.String())
	}
}

// dash remembers a dash that follows a letter; any other one is white space.
func (f *folder) dash() {
	if f.inWord {
		f.dashed, f.inWord = true, false
	}
}

func (f *folder) space() {
	if f.inWord || f.dashed {
		f.spaced.WriteByte(' ')
		if f.dashes {
			f.joined.WriteByte(' ')
		}
	}
	f.inWord, f.dashed = false, false
}

func (f *folder) mark(r rune) {
	f.space()
	f.spaced.WriteRune(r)
	f.spaced.WriteByte(' ')
	if f.dashes {
		f.joined.WriteRune(r)
		f.joined.WriteByte(' ')
	}
}

func (f *folder) text() text {
	f.space()
	t := text{spaced: f.spaced.String()}
	if f.dashes {
		t.joined = f.joined.String()
	}
	return t
}
