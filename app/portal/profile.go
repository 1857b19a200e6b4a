package portal

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/atozbot/atozbot/app"
)

//go:embed profile.json
var builtIn []byte

// Profile is what is known of the portal: its paths, selectors and words, ready for use.
// It does not change once it is loaded, and may be shared.
type Profile struct {
	Name string // "built-in", or the file it was loaded from.

	paths struct{ login, board, accept path }
	login struct {
		email, password, submit, loggedIn, logOut selector
		logOutWords, throttled                    words
	}
	board struct {
		body, chrome, row, cell, status, next, detailsLink selector
		leastCells, mostPages                              number
		columns                                            columns
		empty                                              words
	}
	details struct {
		table, older                      selector
		typeLabel, statusLabel, refLabels words
	}
	accept struct{ neverBy words }
	reject struct {
		action  text
		button  selector
		neverBy words
	}
	dialog struct{ shortNotice, proceed, never, any, shown, concealed selector }
	status struct{ matched, ours, gone, negated, others, other words }
	words  struct {
		gone, refused, tryAgain, maintenance, loggedOut, challenge, challengeHeading words
	}
	alerts    struct{ any, err selector }
	challenge struct{ widget, unseen selector }
}

// part is one replaceable piece of the profile: the name that it has in the file, the
// place where its value goes, and the page on which it can be found, for those parts
// that a page can be asked for.
type part struct {
	name  string
	value value
	on    place
}

// value is what a part holds. set reads it from JSON; its error is a phrase that says
// what is wrong, without the part's name.
type value interface {
	set(raw json.RawMessage) error
	String() string
}

// place is the page on which a selector is to be found, for the doctor.
type place string

const (
	nowhere     place = ""
	onLogin     place = "the log-in page"
	onLoggedIn  place = "a page after the log-in"
	onBoard     place = "the board"
	onJob       place = "a job's row on the board"
	onFree      place = "the row of a job that is free"
	onPaged     place = "a board of several pages"
	onDetails   place = "a job's details"
	onReject    place = "the details of a job that can be rejected"
	afterAccept place = "the answer to an acceptance"
)

// parts lists every piece of the profile, in the order of the file. It is the one place
// that knows both a part's name and where its value goes.
func (p *Profile) parts() []part {
	return []part{
		{"paths.login", &p.paths.login, nowhere},
		{"paths.board", &p.paths.board, nowhere},
		{"paths.accept", &p.paths.accept, onFree},

		{"login.email", &p.login.email, onLogin},
		{"login.password", &p.login.password, onLogin},
		{"login.submit", &p.login.submit, onLogin},
		{"login.logged_in", &p.login.loggedIn, onLoggedIn},
		{"login.log_out", &p.login.logOut, nowhere},
		{"login.log_out_words", &p.login.logOutWords, nowhere},
		{"login.throttled", &p.login.throttled, nowhere},

		{"board.body", &p.board.body, onBoard},
		{"board.chrome", &p.board.chrome, onBoard},
		{"board.row", &p.board.row, onJob},
		{"board.cell", &p.board.cell, onJob},
		{"board.least_cells", &p.board.leastCells, nowhere},
		{"board.columns", &p.board.columns, nowhere},
		{"board.status", &p.board.status, nowhere},
		{"board.empty", &p.board.empty, nowhere},
		{"board.next", &p.board.next, onPaged},
		{"board.most_pages", &p.board.mostPages, nowhere},
		{"board.details_link", &p.board.detailsLink, onJob},

		{"details.table", &p.details.table, onDetails},
		{"details.older", &p.details.older, nowhere},
		{"details.type_label", &p.details.typeLabel, onDetails},
		{"details.status_label", &p.details.statusLabel, onDetails},
		{"details.ref_label", &p.details.refLabels, nowhere},

		{"accept.never_by", &p.accept.neverBy, nowhere},
		{"reject.action", &p.reject.action, onReject},
		{"reject.button", &p.reject.button, onReject},
		{"reject.never_by", &p.reject.neverBy, nowhere},

		{"dialog.short_notice", &p.dialog.shortNotice, afterAccept},
		{"dialog.continue", &p.dialog.proceed, afterAccept},
		{"dialog.never", &p.dialog.never, afterAccept},
		{"dialog.any", &p.dialog.any, nowhere},
		{"dialog.shown", &p.dialog.shown, nowhere},
		{"dialog.concealed", &p.dialog.concealed, nowhere},

		{"status.matched", &p.status.matched, nowhere},
		{"status.ours", &p.status.ours, nowhere},
		{"status.gone", &p.status.gone, nowhere},
		{"status.negated", &p.status.negated, nowhere},
		{"status.others", &p.status.others, nowhere},
		{"status.other", &p.status.other, nowhere},

		{"words.gone", &p.words.gone, nowhere},
		{"words.refused", &p.words.refused, nowhere},
		{"words.try_again", &p.words.tryAgain, nowhere},
		{"words.maintenance", &p.words.maintenance, nowhere},
		{"words.logged_out", &p.words.loggedOut, nowhere},
		{"words.challenge", &p.words.challenge, nowhere},
		{"words.challenge_heading", &p.words.challengeHeading, nowhere},

		{"alerts.any", &p.alerts.any, nowhere},
		{"alerts.error", &p.alerts.err, nowhere},
		{"challenge.widget", &p.challenge.widget, nowhere},
		{"challenge.unseen", &p.challenge.unseen, nowhere},
	}
}

// DefaultProfile gives the built-in profile.
func DefaultProfile() *Profile {
	p, err := readProfile("built-in", nil)
	if err != nil {
		panic("portal: the built-in profile is wrong: " + err.Error()) // A test holds that it is right.
	}
	return p
}

// DefaultProfileJSON gives the built-in profile as a file, for users to start from.
func DefaultProfileJSON() []byte { return slices.Clone(builtIn) }

// LoadProfile reads the profile of PORTAL_PROFILE: a JSON file with any of the built-in
// profile's parts, which replace it part by part. An empty name gives the built-in
// profile. The error is an [app.Error] with CodeInvalid whose message and Fields name
// every part that is wrong, and what is wrong with it.
func LoadProfile(name string) (*Profile, error) {
	if name == "" {
		return DefaultProfile(), nil
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		reason := "cannot be read"
		switch {
		case errors.Is(err, fs.ErrNotExist):
			reason = "does not exist"
		case errors.Is(err, fs.ErrPermission):
			reason = "may not be read by this user"
		}
		return nil, &app.Error{
			Code:    app.CodeInvalid,
			Message: fmt.Sprintf("the portal profile %s %s", name, reason),
			Fields:  map[string]string{"PORTAL_PROFILE": reason},
			Err:     err,
		}
	}
	return readProfile(filepath.Base(name), raw)
}

// readProfile lays the parts of raw over the built-in ones; raw is nil for none.
func readProfile(name string, raw []byte) (*Profile, error) {
	p := &Profile{Name: name}
	if wrong := p.lay(builtIn); len(wrong) > 0 {
		return nil, wrongProfile("built-in", wrong)
	}
	if raw == nil {
		return p, nil
	}
	if wrong := p.lay(raw); len(wrong) > 0 {
		return nil, wrongProfile(name, wrong)
	}
	return p, nil
}

func wrongProfile(name string, wrong map[string]string) *app.Error {
	sentences := make([]string, 0, len(wrong))
	for _, part := range slices.Sorted(maps.Keys(wrong)) {
		sentences = append(sentences, part+": "+wrong[part])
	}
	return &app.Error{
		Code:    app.CodeInvalid,
		Message: fmt.Sprintf("the portal profile %s is wrong: %s", name, strings.Join(sentences, "; ")),
		Fields:  wrong,
	}
}

// lay sets every part that the file raw holds, and returns what is wrong by the part's name.
func (p *Profile) lay(raw []byte) map[string]string {
	wrong := make(map[string]string)
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sections); err != nil {
		wrong["the file"] = jsonReason(raw, err)
		return wrong
	}
	known := make(map[string]value)
	for _, part := range p.parts() {
		known[part.name] = part.value
	}
	for section, body := range sections {
		if !isSection(known, section) {
			wrong[section] = "there is no such part" + nearest(section, known)
			continue
		}
		var values map[string]json.RawMessage
		if err := json.Unmarshal(body, &values); err != nil {
			wrong[section] = "must be an object of parts"
			continue
		}
		for key, body := range values {
			name := section + "." + key
			value, ok := known[name]
			if !ok {
				wrong[name] = "there is no such part" + nearest(name, known)
				continue
			}
			if err := value.set(body); err != nil {
				wrong[name] = err.Error()
			}
		}
	}
	p.agree(wrong)
	return wrong
}

// agree checks what parts owe each other.
func (p *Profile) agree(wrong map[string]string) {
	if _, told := wrong["paths.accept"]; !told && strings.Count(string(p.paths.accept), "{id}") != 1 {
		wrong["paths.accept"] = "must hold {id} once, where the job's number stands"
	}
	if strings.Contains(string(p.paths.board)+string(p.paths.login), "{id}") {
		wrong["paths.board"] = "the paths of the board and of the log-in hold no {id}"
	}
	if _, told := wrong["board.columns"]; !told && int(p.board.leastCells) < len(p.board.columns) {
		if _, told := wrong["board.least_cells"]; !told {
			wrong["board.least_cells"] = fmt.Sprintf("must be %d at least, the number of board.columns", len(p.board.columns))
		}
	}
}

func isSection(known map[string]value, section string) bool {
	for name := range known {
		if strings.HasPrefix(name, section+".") {
			return true
		}
	}
	return false
}

// nearest gives " (did you mean …?)" where a part has nearly that name.
func nearest(name string, known map[string]value) string {
	best, least := "", 4
	for candidate := range known {
		section, _, _ := strings.Cut(candidate, ".")
		for _, c := range []string{candidate, section} {
			if d := distance(name, c); d < least || d == least && best != "" && c < best {
				best, least = c, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// distance is the number of letters to change, add or leave out to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}

// jsonReason says where a file is no JSON, by line, as people look for it.
func jsonReason(raw []byte, err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + strings.Count(string(raw[:min(int(syntax.Offset), len(raw))]), "\n")
		return fmt.Sprintf("is no JSON in line %d: %s", line, syntax.Error())
	}
	return "must be an object of sections, as the built-in profile is"
}
