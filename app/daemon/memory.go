package daemon

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
)

const (
	refusedFile = "portal-refused.json" // That the portal refused the log-in data.
	quietFile   = "portal-quiet-until"  // When it may be asked again.
)

// longestQuiet is the longest that a portal is left alone; a time further away is a clock
// that was set back.
const longestQuiet = 24 * time.Hour

// refused is what is remembered: which log-in data, as a hash that gives nothing away,
// and how often they were tried.
type refused struct {
	Hash  string `json:"hash"`
	Times int    `json:"times"`
}

// memory keeps in the data folder what the portal must not be asked for again after a
// restart. Its files are there only while they say something.
type memory struct {
	account         *account
	refused, silent string // Paths.
}

func newMemory(a *account) memory {
	folder := a.settings.DataDir
	return memory{account: a, refused: filepath.Join(folder, refusedFile), silent: filepath.Join(folder, quietFile)}
}

// Refused tells how often; 0 where other log-in data are in force now.
func (m memory) Refused() int {
	text, err := os.ReadFile(m.refused)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			m.account.log.Warn("it cannot be read whether the portal has refused the log-in data", "error", err)
		}
		return 0
	}
	var found refused
	if json.Unmarshal(text, &found) != nil {
		return 0
	}
	same, err := argon2id.ComparePasswordAndHash(m.account.inForce.Load().text(), found.Hash)
	if err != nil || !same {
		return 0
	}
	return found.Times
}

// NoteRefused keeps how often; 0 forgets.
func (m memory) NoteRefused(times int) {
	if err := m.note(times); err != nil {
		m.account.log.Warn("it cannot be kept that the portal refuses the log-in data", "error", err)
	}
}

func (m memory) note(times int) error {
	if times == 0 {
		return forget(m.refused)
	}
	// What was tried, not what is in force: that may have been entered meanwhile.
	tried := m.account.tried.Load()
	if tried == nil {
		tried = &m.account.inForce.Load().stored
	}
	hash, err := argon2id.CreateHash(tried.text(), argon2id.DefaultParams)
	if err != nil {
		return err
	}
	text, err := json.Marshal(refused{Hash: hash, Times: times})
	if err != nil {
		return err
	}
	return replaceFile(m.refused, text)
}

// Quiet tells until when the portal wants to be left alone; a time that is past is
// forgotten.
func (m memory) Quiet() time.Time {
	text, err := os.ReadFile(m.silent)
	if err != nil {
		return time.Time{}
	}
	until, err := time.Parse(time.RFC3339Nano, string(text))
	if wait := time.Until(until); err != nil || wait <= 0 || wait > longestQuiet {
		m.NoteQuiet(time.Time{})
		return time.Time{}
	}
	return until
}

// NoteQuiet keeps it; the zero time forgets.
func (m memory) NoteQuiet(until time.Time) {
	err := forget(m.silent)
	if !until.IsZero() {
		err = replaceFile(m.silent, []byte(until.UTC().Format(time.RFC3339Nano)))
	}
	if err != nil {
		m.account.log.Warn("it cannot be kept how long the portal is to be left alone", "error", err)
	}
}

// forget removes a file that may be there.
func forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replaceFile puts a file in the place of what was there, whole or not at all. Nobody
// else can read it.
func replaceFile(path string, content []byte) error {
	made, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = made.Write(content)
	if err = errors.Join(err, made.Sync(), made.Close()); err == nil {
		err = os.Rename(made.Name(), path)
	}
	if err != nil {
		_ = os.Remove(made.Name()) // The cause is told.
	}
	return err
}

// text is the log-in data as one text.
func (s stored) text() string {
	return strings.Join([]string{s.BaseURL, s.Username, s.Password}, "\x00")
}
