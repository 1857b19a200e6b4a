package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/portal"
	"github.com/atozbot/atozbot/app/vault"
	"github.com/atozbot/atozbot/store"
)

// finding is what the doctor found in one place.
type finding struct {
	Name   string `json:"name"`
	Status string `json:"status"` // "ok", "warning", "fail" or "skipped".
	Found  string `json:"found"`
	Do     string `json:"do,omitempty"` // The one thing to do.
	// aside is for what a person need not read line by line.
	aside bool
}

// The doctor's verdicts.
const (
	fine    = "ok"
	warning = "warning"
	failing = "fail"
	skipped = "skipped"
)

// doctor looks at one thing after the other and changes none of them.
type doctor struct {
	process  Process
	log      *slog.Logger
	findings []finding
}

// Doctor checks settings, database, migrations, Redis, portal log-in and every part of
// the portal's profile, and says for each what was found and the one thing to do. It
// returns ErrTold where something is not well.
func (p Process) Doctor(ctx context.Context, asJSON bool) error {
	d := &doctor{process: p, log: slog.New(slog.DiscardHandler)}
	d.settings()
	d.folder()
	d.server(ctx)
	d.database(ctx)
	d.redis(ctx)
	d.portal(ctx)
	well := true
	for _, f := range d.findings {
		well = well && f.Status != failing
	}
	if err := d.print(asJSON, well); err != nil {
		return err
	}
	if !well {
		return ErrTold
	}
	return nil
}

func (d *doctor) add(name, status, found, do string) {
	d.findings = append(d.findings, finding{Name: name, Status: status, Found: found, Do: do})
}

// wrong tells whether one of these settings cannot be used.
func (d *doctor) wrong(names ...string) bool {
	mistakes, _ := errors.AsType[config.Mistakes](d.process.Mistakes)
	return len(mistakes.Only(names...)) > 0
}

func (d *doctor) settings() {
	mistakes, _ := errors.AsType[config.Mistakes](d.process.Mistakes)
	for _, m := range mistakes {
		d.add("settings", failing, m.Name+": "+m.Reason, "Correct "+m.Name+".")
	}
	if len(mistakes) == 0 {
		set := 0
		for _, line := range d.process.Settings.Lines() {
			if line.Source != config.FromDefault {
				set++
			}
		}
		d.add("settings", fine, fmt.Sprintf("all can be used; %d differ from their defaults", set), "")
	}
	for _, w := range d.process.Warnings {
		d.add("settings", warning, w, "Correct it, or leave it if it is meant so.")
	}
}

func (d *doctor) folder() {
	folder := d.process.Settings.DataDir
	if info, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		d.add("data folder", fine, folder+" is not there yet; it is made at the first start", "")
		return
	} else if err == nil && !info.IsDir() {
		d.add("data folder", failing, folder+" is no folder", "Name a folder in ATOZBOT_DATA_DIR.")
		return
	}
	if err := prepareFolder(folder); err != nil {
		d.add("data folder", failing, err.Error(), "Let this user write to it, or name another in ATOZBOT_DATA_DIR.")
		return
	}
	d.add("data folder", fine, folder+" can be written to", "")
}

// server says whether the program runs. That it does not is no fault.
func (d *doctor) server(ctx context.Context) {
	if d.wrong("API_HOST", "API_PORT") || d.process.Settings.APIPort == 0 {
		d.add("server", skipped, "its port is not known", "")
		return
	}
	quiet := d.process
	quiet.Stdout = io.Discard
	if err := quiet.Healthcheck(ctx, false); err != nil {
		d.add("server", fine, "not running at "+serverAddress(d.process.Settings), "")
		return
	}
	if err := quiet.Healthcheck(ctx, true); err != nil {
		d.add("server", warning, "running, and cannot do its work: "+err.Error(), "Look below for the cause.")
		return
	}
	d.add("server", fine, "running, and can do its work", "")
}

func (d *doctor) database(ctx context.Context) {
	s := d.process.Settings
	if d.wrong("DATABASE_URL") {
		d.add("database", skipped, "DATABASE_URL cannot be used", "")
		return
	}
	db, err := store.Open(dsn(s), store.Options{Logger: d.log})
	if err != nil {
		d.add("database", failing, sentenceOf(err), "Correct DATABASE_URL.")
		return
	}
	defer db.Close()
	shown := "SQLite, " + db.Path()
	if s.DatabaseURL.IsPostgres() {
		shown = "PostgreSQL, " + s.DatabaseURL.String()
	} else if _, err := os.Stat(db.Path()); errors.Is(err, os.ErrNotExist) {
		d.add("database", fine, shown+": not there yet; it is made at the first start", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, longestProbe)
	defer cancel()
	began := time.Now()
	if err := db.Ping(ctx); err != nil {
		trouble := store.Classify(err)
		d.add("database", failing, shown+": "+trouble.Reason, trouble.Advice)
		return
	}
	d.add("database", fine, fmt.Sprintf("%s: answers in %s", shown, time.Since(began).Round(100*time.Microsecond)), "")
	d.migrations(ctx, db)
}

func (d *doctor) migrations(ctx context.Context, db *store.Store) {
	steps, err := db.Status(ctx)
	if err != nil {
		trouble := store.Classify(err)
		d.add("migrations", failing, trouble.Reason, trouble.Advice)
		return
	}
	pending := 0
	for _, step := range steps {
		if step.AppliedAt.IsZero() {
			pending++
		}
	}
	if pending > 0 {
		d.add("migrations", warning, fmt.Sprintf("%d of %d are pending", pending, len(steps)), "Start the program, or run `atozbot migrate`.")
		return
	}
	d.add("migrations", fine, fmt.Sprintf("all %d are applied", len(steps)), "")
	d.secrets(ctx, db)
}

// secrets says whether what is sealed can be opened with the keys that there are.
func (d *doctor) secrets(ctx context.Context, db *store.Store) {
	if d.wrong("ATOZBOT_SECRET_KEY", "ATOZBOT_SECRET_KEY_FILE", "ATOZBOT_SECRET_KEY_PREVIOUS", "ATOZBOT_SECRET_KEY_PREVIOUS_FILE") {
		d.add("secrets", skipped, "their key cannot be read", "")
		return
	}
	s := d.process.Settings
	x := &safe{db: db}
	if keys, err := keysAtHand(s); err != nil {
		d.add("secrets", failing, "the key in the data folder cannot be read: "+err.Error(), "Let this user read "+keyFile+" in the data folder.")
		return
	} else if len(keys) > 0 && (s.SecretKey.IsSet() || !s.DatabaseURL.IsPostgres()) {
		if x.vault, err = vault.New(keys...); err != nil {
			d.add("secrets", failing, "their key cannot be used", "Set ATOZBOT_SECRET_KEY.")
			return
		}
	}
	switch n, err := x.closed(ctx); {
	case err != nil:
		trouble := store.Classify(err)
		d.add("secrets", failing, trouble.Reason, trouble.Advice)
	case n > 0:
		found, do := x.closedWords(n)
		d.add("secrets", failing, found, do)
	default:
		d.add("secrets", fine, "all that are stored can be opened", "")
	}
}

func (d *doctor) redis(ctx context.Context) {
	s := d.process.Settings
	switch {
	case d.wrong("REDIS_URL"):
		d.add("redis", skipped, "REDIS_URL cannot be used", "")
		return
	case s.RedisURL.InMemory():
		d.add("redis", fine, "in memory, inside the process", "")
		return
	}
	c, err := openRedis(s, "doctor", d.log)
	if err != nil {
		d.add("redis", failing, err.Error(), "Correct REDIS_URL.")
		return
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(ctx, longestProbe)
	defer cancel()
	began := time.Now()
	if err := c.probe(ctx); err != nil {
		problem := explainRedis(err)
		d.add("redis", failing, s.RedisURL.String()+": "+problem.Words, sentence(problem.Advice))
		return
	}
	d.add("redis", fine, fmt.Sprintf("%s: answers in %s", s.RedisURL, time.Since(began).Round(100*time.Microsecond)), "")
}

// portal visits the portal as the bot would, and acts on nothing.
func (d *doctor) portal(ctx context.Context) {
	s := d.process.Settings
	if d.wrong("ATOZ_BASE_URL", "ATOZ_INTERPRETER_JOBS_PATH", "PORTAL_PROFILE", "PORTAL_TIMEOUT", "PORTAL_USER_AGENT", "ATOZ_PASSWORD") {
		d.add("portal log-in", skipped, "its settings cannot be used", "")
		return
	}
	client, err := openPortal(s)
	if err != nil {
		d.add("portal profile", failing, err.Error(), "Correct the file that PORTAL_PROFILE names.")
		return
	}
	defer client.Close()
	var missing []string
	if s.AtozUsername == "" {
		missing = append(missing, "ATOZ_USERNAME")
	}
	if !s.AtozPassword.IsSet() {
		missing = append(missing, "ATOZ_PASSWORD")
	}
	if len(missing) > 0 {
		d.add("portal log-in", failing, "not tried: "+strings.Join(missing, " and ")+" not set", "Set "+strings.Join(missing, " and ")+".")
		return
	}
	x := client.Examine(ctx)
	d.page("portal log-in", x.LogIn, "logged in at "+string(s.AtozBaseURL)+" as "+s.AtozUsername)
	if x.LogIn == nil {
		d.page("portal board", x.Board, fmt.Sprintf("read, %d jobs on its first page", x.Jobs))
	}
	switch {
	case x.LogIn != nil || x.Board != nil:
	case x.Details != nil || x.WithDetails:
		d.page("portal details", x.Details, "read")
	default:
		d.add("portal details", skipped, "no job was there to look at", "")
	}
	for _, part := range x.Parts {
		d.part(part)
	}
}

// page adds what was found of one page of the portal.
func (d *doctor) page(name string, err error, found string) {
	if err == nil {
		d.add(name, fine, found, "")
		return
	}
	page, ok := errors.AsType[*app.PageError](err)
	if !ok {
		d.add(name, failing, err.Error(), "The error says what is wrong.")
		return
	}
	_, advice := pageWords(page.Class)
	d.add(name, failing, string(page.Class)+": "+page.Reason, sentence(advice))
}

func (d *doctor) part(p portal.Part) {
	name := "profile " + p.Name
	switch {
	case p.Missing():
		d.add(name, failing, "not found on "+p.Where, p.Advice())
	case p.Found > 0:
		d.add(name, fine, fmt.Sprintf("found on the pages seen: %d", p.Found), "")
	case p.Where == "":
		d.findings = append(d.findings, finding{Name: name, Status: fine, Found: "not on the pages seen, and need not be", aside: true})
	default:
		d.add(name, skipped, p.Where+" was not there to look at", "")
	}
}

func sentence(advice string) string {
	if advice == "" {
		return ""
	}
	return strings.ToUpper(advice[:1]) + strings.TrimSuffix(advice[1:], ".") + "."
}

func (d *doctor) print(asJSON, well bool) error {
	out := newScrubber(d.process.Stdout, d.process.Settings.SecretValues())
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(map[string]any{"ok": well, "checks": d.findings})
	}
	coloured := isTerminal(d.process.Stdout)
	var text strings.Builder
	aside := 0
	for _, f := range d.findings {
		if f.aside {
			aside++
			continue
		}
		fmt.Fprintf(&text, "%s %-28s %s\n", mark(f.Status, coloured), f.Name, printable(f.Found))
		if f.Do != "" {
			fmt.Fprintf(&text, "  %-28s → %s\n", "", printable(f.Do))
		}
	}
	if aside > 0 {
		fmt.Fprintf(&text, "%s %-28s %d more are not on the pages seen, and need not be\n", mark(fine, coloured), "profile", aside)
	}
	if well {
		text.WriteString("All is well.\n")
	} else {
		text.WriteString("Something is not well; the arrows say what to do.\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// mark is a verdict as a sign, which is told from the others without colour too.
func mark(status string, coloured bool) string {
	sign, colour := "✓", "32"
	switch status {
	case warning:
		sign, colour = "!", "33"
	case failing:
		sign, colour = "✗", "31"
	case skipped:
		sign, colour = "-", "90"
	}
	if !coloured {
		return sign
	}
	return "\x1b[" + colour + "m" + sign + "\x1b[0m"
}
