package daemon

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"github.com/atozbot/atozbot/app/config"
)

// log makes the process's log: coloured on a terminal, plain text or JSON elsewhere.
// Whatever is logged, no secret of the settings stands in it.
func (p Process) log() *slog.Logger {
	s, w := p.Settings, p.Stderr
	out := newScrubber(w, s.SecretValues())
	switch {
	case s.LogFormat == "json":
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: s.Level()}))
	case isTerminal(w):
		return slog.New(tint.NewTextHandler(out, &tint.Options{Level: s.Level(), TimeFormat: "15:04:05.000"}))
	default:
		return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: s.Level()}))
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// shortestScrubbed is the length from which on a secret is looked for in the log. A
// shorter one would be found in half of all words and make the log unreadable.
const shortestScrubbed = 6

// scrubber is a writer that hides secrets. The log writes each line at once, so a secret
// is never cut in two by two writes.
type scrubber struct {
	mu      sync.Mutex
	w       io.Writer
	secrets [][]byte
}

func newScrubber(w io.Writer, secrets []string) *scrubber {
	s := &scrubber{w: w}
	for _, secret := range secrets {
		if len(secret) < shortestScrubbed {
			continue
		}
		forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
		// As it stands in a quoted text, and in one that was quoted twice: a library quotes
		// what it cannot understand, and the log quotes the library.
		once := []string{escaped(secret), quotedInside(secret)}
		forms = append(forms, once...)
		for _, text := range once {
			forms = append(forms, escaped(text), quotedInside(text))
		}
		for _, form := range forms {
			if !slices.ContainsFunc(s.secrets, func(known []byte) bool { return string(known) == form }) {
				s.secrets = append(s.secrets, []byte(form))
			}
		}
	}
	// The longest first: an address is hidden before the password inside it.
	slices.SortStableFunc(s.secrets, func(a, b []byte) int { return len(b) - len(a) })
	return s
}

// escaped is a text as it stands in a JSON string.
func escaped(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // A string always encodes.
	quoted := strings.TrimSuffix(out.String(), "\n")
	return quoted[1 : len(quoted)-1]
}

// quotedInside is a text as it stands between the quotation marks of a Go string.
func quotedInside(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// clean gives the text without the secrets.
func (s *scrubber) clean(text []byte) []byte {
	for _, secret := range s.secrets {
		if bytes.Contains(text, secret) {
			text = bytes.ReplaceAll(text, secret, []byte("[hidden]"))
		}
	}
	return text
}

// Write writes the text without the secrets.
func (s *scrubber) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.w.Write(s.clean(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// printable takes out of a text what would steer a terminal: it may come from a portal or
// from another program's database.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, text)
}

// logSettings tells the settings that are in force and differ from their defaults, the
// others at the level debug.
func logSettings(log *slog.Logger, s config.Settings) {
	for _, line := range s.Lines() {
		if line.Source == config.FromDefault {
			log.Debug("setting "+line.Name, "value", line.Value, "from", line.Source)
			continue
		}
		log.Info("setting "+line.Name, "value", line.Value, "from", line.Source)
	}
}
