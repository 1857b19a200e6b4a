package rules

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFolding(t *testing.T) {
	for s, want := range map[string]text{
		"":                        {spaced: " "},
		"Face to Face":            {spaced: " face to face "},
		"Face-to-Face":            {spaced: " face to face ", joined: " facetoface "},
		"  On\u00a0site\t ":       {spaced: " on site "},
		"On-site, in–person":      {spaced: " on site , in person ", joined: " onsite , inperson "},
		"a - b":                   {spaced: " a b "},
		"a- b -c":                 {spaced: " a b c "},
		"-a-":                     {spaced: " a "},
		"a--b":                    {spaced: " a b ", joined: " ab "},
		"St Mary’s":               {spaced: " st mary ' s "},
		"FRANÇAIS":                {spaced: " francais "},
		"Straße, Łódź, København": {spaced: " strasse , lodz , kobenhavn "},
		"हिन्दी":                  {spaced: " हिन्दी "}, // Vowel signs are no accents.
		"24/7":                    {spaced: " 24 / 7 "},
		"(x)":                     {spaced: " ( x ) "},
		"A\u00adB":                {spaced: " ab "},
	} {
		if got := fold(s); got != want {
			t.Errorf("%q is folded to %q, want %q", s, got, want)
		}
	}
}

// FuzzFold holds that both ways of folding agree on plain ASCII, that folding twice is
// folding once, and that every text holds itself.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"Telephone interpreting", "Face-to-Face", "Ünï - cödé_x", "a\u200bb", "Ł İ ß", "क्षि", "\xff-\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := fold(s)
		ascii := true
		for i := range len(s) {
			ascii = ascii && s[i] < utf8.RuneSelf
		}
		if ascii && foldRunes(s) != once {
			t.Errorf("%q: %q by bytes, %q by characters", s, once, foldRunes(s))
		}
		if twice := fold(once.spaced); twice.spaced != once.spaced || twice.joined != "" {
			t.Errorf("%q: once %q, twice %q", s, once, twice)
		}
		if strings.Contains(once.spaced, "  ") || !strings.HasPrefix(once.spaced, " ") || !strings.HasSuffix(once.spaced, " ") {
			t.Errorf("%q: spaces in %q", s, once.spaced)
		}
		if p, ok := foldPhrase(s); ok && !once.has(p) {
			t.Errorf("%q does not hold itself", s)
		}
	})
}

func TestEveryTermOfAnExpressionIsExplained(t *testing.T) {
	fields := expressionFields()
	for _, term := range ExpressionTerms() {
		if _, ok := fields[term.Name]; !ok || term.Meaning == "" {
			t.Errorf("%s is explained and is not there", term.Name)
		}
		delete(fields, term.Name)
	}
	if len(fields) > 0 {
		t.Errorf("not explained: %v", fields)
	}
}

// FuzzExpression holds of any expression: no panic, an answer soon, and one that decides.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{
		"duration <= 60 or weekday in ['sat', 'sun']", "notice_hours < 3 ? 'ask' : 'accept'", "has('court') and not has_type('video')",
		"detail('x') == 'y'", "let a = hour + 1; a > 3", "any(['a', 'b'], # == language)", "language matches '^(a+)+$'", "if hour < 9 {'ask'} else {true}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := compileExpression(s)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		set := Set{rules: rules(), zone: fuzzZone(t), expression: e}
		for _, j := range fuzzJobs() {
			d := set.Decide(j, fuzzTally(), fuzzNow())
			if c := d.Checks[17]; c.Rule != RuleExpression || c.Reason == "" {
				t.Errorf("%q: %+v", s, c)
			}
		}
	})
}
