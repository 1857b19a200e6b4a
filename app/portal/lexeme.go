package portal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexeme is a piece of a written date, time or duration: a number, a word, a sign, or a
// fraction written as one letter.
type lexeme struct {
	kind  kind
	text  string // Of a number its digits, of a word its letters in lower case.
	value int    // Of a number; -1 where it has more than eight digits. Of a fraction, sixtieths.
	sign  byte
	apart bool // White space stands before it.
}

type kind byte

const (
	aNumber kind = iota + 1
	aWord
	aSign
	aFraction
)

// lexemes are what is left of a text, being read from its beginning.
type lexemes []lexeme

// The most pieces that a date, time or duration has. What is longer is none.
const mostLexemes = 24

// lex takes s apart. It is false where s holds what stands in no date, time or duration.
func lex(s string, into lexemes) (lexemes, bool) {
	l, apart := into[:0], false
	for i := 0; i < len(s); {
		if len(l) == mostLexemes {
			return nil, false
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		from := i
		i += size
		switch {
		case unicode.IsSpace(r) || invisible(r):
			apart = true
			continue
		case '0' <= r && r <= '9':
			for i < len(s) && '0' <= s[i] && s[i] <= '9' {
				i++
			}
			l = append(l, lexeme{kind: aNumber, text: s[from:i], value: digits(s[from:i]), apart: apart})
		case isLetter(r):
			for i < len(s) && isLetter(rune(s[i])) {
				i++
			}
			l = append(l, lexeme{kind: aWord, text: strings.ToLower(s[from:i]), apart: apart})
		case r == '¼':
			l = append(l, lexeme{kind: aFraction, value: 15, apart: apart})
		case r == '½':
			l = append(l, lexeme{kind: aFraction, value: 30, apart: apart})
		case r == '¾':
			l = append(l, lexeme{kind: aFraction, value: 45, apart: apart})
		case r == '\u2010', r == '\u2011', r == '\u2012', r == '–', r == '—', r == '\u2212':
			l = append(l, lexeme{kind: aSign, sign: '-', apart: apart})
		case r < utf8.RuneSelf:
			l = append(l, lexeme{kind: aSign, sign: byte(r), apart: apart})
		default:
			return nil, false
		}
		apart = false
	}
	return l, len(l) > 0
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

func digits(s string) int {
	if len(s) > 8 {
		return -1
	}
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// number tells whether l begins with a number of between least and most digits.
func (l lexemes) number(least, most int) bool {
	return len(l) > 0 && l[0].kind == aNumber && len(l[0].text) >= least && len(l[0].text) <= most
}

// sign tells whether l begins with one of the signs.
func (l lexemes) sign(signs string) bool {
	return len(l) > 0 && l[0].kind == aSign && strings.IndexByte(signs, l[0].sign) >= 0
}

// word tells whether l begins with one of the words.
func (l lexemes) word(words ...string) bool {
	if len(l) == 0 || l[0].kind != aWord {
		return false
	}
	for _, w := range words {
		if l[0].text == w {
			return true
		}
	}
	return false
}

// skip leaves out one of the signs, where l begins with it.
func (l lexemes) skip(signs string) lexemes {
	if l.sign(signs) {
		return l[1:]
	}
	return l
}
