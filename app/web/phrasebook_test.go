package web_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/web"
)

func inGerman(r *http.Request) { r.Header.Set("Accept-Language", "de") }

// readPhrases gives a phrasebook as it is stored.
func readPhrases(tb testing.TB, language string) map[string]string {
	tb.Helper()
	content, err := os.ReadFile("phrases/" + language + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	var stored struct{ Phrases map[string]string }
	if err := json.Unmarshal(content, &stored); err != nil {
		tb.Fatal(err)
	}
	return stored.Phrases
}

func TestPhrasesKeepTheirPlaces(t *testing.T) {
	place := regexp.MustCompile(`\{\w+\}`)
	for form, other := range readPhrases(t, "de") {
		a, b := place.FindAllString(form, -1), place.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%q has the places %v, and %v in German", form, a, b)
		}
	}
}

// TestEverySentenceOfTheHouseIsInThePhrasebook holds that what the rules and the bot can
// give as a reason, and what other rooms say of an error, has a form in the phrasebook: it
// looks for every text in their source.
func TestEverySentenceOfTheHouseIsInThePhrasebook(t *testing.T) {
	place := regexp.MustCompile(`\{\w+\}`)
	var forms []string
	for form := range readPhrases(t, "de") {
		forms = append(forms, place.ReplaceAllString(form, "\x00"))
	}
	known := func(text string) bool {
		text = strings.TrimSpace(regexp.MustCompile(`%[a-z]`).ReplaceAllString(text, "\x00"))
		return slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(form, text) })
	}
	files, err := filepath.Glob("../rules/checks_*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("the rules are not there", err)
	}
	files = append(files, "../rules/decide.go", "../rules/recheck.go")
	found := 0
	for _, file := range files {
		for _, text := range sentences(t, file, func(n ast.Node) bool { _, ok := n.(*ast.FuncDecl); return ok }) {
			found++
			if !known(text) {
				t.Errorf("%s says %q", file, text)
			}
		}
	}
	if found < 90 {
		t.Errorf("only %d texts were found", found)
	}
	bots, err := filepath.Glob("../bot/*.go")
	if err != nil || len(bots) == 0 {
		t.Fatal("the bot is not there", err)
	}
	found = 0
	for _, file := range bots {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, text := range sentences(t, file, func(n ast.Node) bool { return givesReason(n) || tellsPeople(n) }) {
			found++
			if !known(text) {
				t.Errorf("%s says %q", file, text)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d reasons of the bot were found", found)
	}
	rooms := []string{"../notify/notify.go", "../rules/calendar/decode.go"}
	for _, room := range []string{"busy", "channels", "safe", "rooms_access"} {
		rooms = append(rooms, "../daemon/"+room+".go")
	}
	found = 0
	for _, file := range rooms {
		for _, text := range sentences(t, file, tellsPeople) {
			found++
			if !known(text) {
				t.Errorf("%s says %q", file, text)
			}
		}
	}
	if found < 25 {
		t.Errorf("only %d sentences of the other rooms were found", found)
	}
}

// tellsPeople tells whether a piece of source is the sentence of an error that is shown.
func tellsPeople(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Name.Name == "Words"
	case *ast.KeyValueExpr:
		key, ok := n.Key.(*ast.Ident)
		return ok && key.Name == "Message"
	case *ast.CallExpr:
		call, ok := n.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		room, ok := call.X.(*ast.Ident)
		return ok && room.Name == "app" && call.Sel.Name == "Errorf"
	}
	return false
}

// givesReason tells whether a piece of the bot's source says what became of a job and why.
func givesReason(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool {
			to, ok := e.(*ast.SelectorExpr)
			return ok && slices.Contains([]string{"RejectionReason", "NeedsUser"}, to.Sel.Name)
		})
	case *ast.CallExpr:
		call, ok := n.Fun.(*ast.SelectorExpr)
		return ok && slices.Contains([]string{"settle", "release", "trip"}, call.Sel.Name)
	}
	return false
}

// sentences gives the texts of several words within the wanted pieces of a file.
func sentences(t *testing.T, file string, wanted func(ast.Node) bool) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "stated" {
			return false // Its words are the portal's for "nothing yet".
		}
		if n == nil || !wanted(n) {
			return true
		}
		ast.Inspect(n, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(strings.TrimSpace(text), " ") && strings.IndexFunc(text, unicode.IsLetter) >= 0 && !strings.Contains(text, "15:04") {
					texts = append(texts, text)
				}
			}
			return true
		})
		return false
	})
	return texts
}

func TestAGermanPageSaysTheWhyInGerman(t *testing.T) {
	for _, test := range []struct{ said, want string }{
		{"Its type holds “Face-to-Face”, which you exclude.", "Seine Art enthält „Face-to-Face“, und das schließen Sie aus."},
		{"It lasts 1 hour 30 minutes, longer than the 45 minutes that you want at most.", "Er dauert 1 h 30 min, mehr als die 45 min, die Sie höchstens wollen."},
		{"It begins in 3 hours; you want 2 days at least.", "Er beginnt in 3 h; Sie wollen mindestens 2 Tage."},
		{"It overlaps 48213/A, Polish (Thu 14 Jan 2027, 14:30 to 15:30).", "Er überschneidet sich mit 48213/A, Polish (Do 14. Jan. 2027, 14:30–15:30)."},
		{"The row has no date, time and language.", "In der Zeile fehlt: Tag, Uhrzeit und Sprache."},
		{"The try never reached the portal (the portal answered 503), and it is gone.", "Der Versuch kam nie beim Portal an (das Portal antwortete mit 503), und der Auftrag ist weg."},
		{"The expression is not known. The details page names no job type.", "Der Ausdruck ist nicht bekannt. Seine Seite nennt keine Auftragsart."},
		{"Its type holds “On-site”, which you exclude. It would be rejected, but the limit of rejections in this session is reached.", "Seine Art enthält „On-site“, und das schließen Sie aus. Er würde abgelehnt, aber die Grenze der Ablehnungen dieser Sitzung ist erreicht."},
		{"The limit is reached: 5 of 5 accepted in this session.", "Die Grenze ist erreicht: 5 von 5 in dieser Sitzung angenommen."},
		{"Words that nobody has translated.", "Words that nobody has translated."},
		{"It lasts long.", "It lasts long."},
		{"It overlaps leave (Thu 14 Jan 2027, 14:30 to 15:30).", "Er überschneidet sich mit leave (Do 14. Jan. 2027, 14:30–15:30)."},
		{"It overlaps free time (Thu 14 Jan 2027, 14:30 to 15:30).", "Er überschneidet sich mit free time (Do 14. Jan. 2027, 14:30–15:30)."},
		{"It overlaps a busy calendar (Thu 14 Jan 2027, 14:30 to 15:30).", "Er überschneidet sich mit einem besetzten Kalender (Do 14. Jan. 2027, 14:30–15:30)."},
		{"No board could be read: page_unavailable, the portal answered 503.", "Keine Tafel war zu lesen: page_unavailable, das Portal antwortete mit 503."},
		{"leave", "leave"},
	} {
		h := newHouse(t, fixed)
		h.jobs[1].RejectionReason = test.said
		get(t, newSite(t, h), "/activity?q=48212", inGerman).is(t, http.StatusOK, "", test.want)
		if english := get(t, newSite(t, h), "/jobs/0190-1"); !strings.Contains(english.text, test.said) {
			t.Errorf("the English page does not say %q", test.said)
		}
	}
}

func TestAGermanPageSaysInGermanWhatIsWrongWithTheHouse(t *testing.T) {
	h := newHouse(t, fixed)
	h.status.Problem = &web.Problem{Class: app.PageUnavailable, Since: morning, Reason: "the portal answered 503"}
	h.health.Services[2].State, h.health.Services[2].Reason, h.health.Services[2].Advice = web.ServiceUnhealthy, "connection refused", "Start the database, or check the port in DATABASE_URL."
	s := newSite(t, h)
	get(t, s, "/", inGerman).is(t, http.StatusOK, "", "Das Portal antwortete mit 503.")
	get(t, s, "/system", inGerman).is(t, http.StatusOK, "", "Verbindung verweigert", "Starten Sie die Datenbank")
	h.status.Problem, h.status.Session.Status = nil, app.SessionError
	h.status.Session.LastError = "The portal does not take the log-in data. They were tried twice and are not tried again, so that the account is not locked: check ATOZ_USERNAME and ATOZ_PASSWORD, then start the bot."
	get(t, s, "/", inGerman).is(t, http.StatusOK, "", "Arbeitet nicht: das Portal nimmt die Anmeldung nicht an.</strong>", `class="hero__advice">Sie wurde zweimal versucht`)
}

// TestEveryLanguageButEnglishHasPhrases holds that a new language brings its phrasebook.
func TestEveryLanguageButEnglishHasPhrases(t *testing.T) {
	languages, err := fs.Glob(os.DirFS("texts"), "*.json")
	if err != nil || len(languages) < 2 {
		t.Fatal(languages, err)
	}
	for _, file := range languages {
		if _, err := os.Stat("phrases/" + file); err != nil && file != "en.json" {
			t.Errorf("%s has no phrasebook", file)
		}
	}
}

// TestAWordIsRetoldOnlyWhereItIsOurs holds that an answer is said in German, and a word of
// the portal that is spelt like it is not.
func TestAWordIsRetoldOnlyWhereItIsOurs(t *testing.T) {
	h := newHouse(t, fixed)
	s := newSite(t, h, func(o *web.Options) {
		o.Jobs = checked{h, []app.Check{
			{Rule: "languages", Held: app.Yes, Saw: "time", Wanted: "any language", Reason: "Any language is accepted."},
			{Rule: "answer", Held: app.Yes, Saw: "accept", Wanted: "your answer", Reason: "You accepted it."},
		}}
	})
	get(t, s, "/jobs/0190-1", inGerman).is(t, http.StatusOK, "", "Gesehen: time.", "Gesehen: annehmen.")
}

// checked are the jobs of a house, decided by these checks.
type checked struct {
	*house
	checks []app.Check
}

func (c checked) Job(ctx context.Context, id string) (web.JobTrace, error) {
	trace, err := c.house.Job(ctx, id)
	if err == nil {
		trace.Decision.Checks = c.checks
	}
	return trace, err
}
