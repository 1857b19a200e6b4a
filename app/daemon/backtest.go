package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules"
)

// Backtest says what rules would have done with the jobs recorded. The file holds a
// configuration or a part of one; without it the rules in force are tried.
func (p Process) Backtest(ctx context.Context, file, since string) error {
	log := p.log()
	from, err := pointInTime(since, time.Now())
	if err != nil {
		return fmt.Errorf("--since: %w; %w", err, ErrMisused)
	}
	change, err := readRules(file)
	if err != nil {
		return fmt.Errorf("--rules: %w; %w", err, ErrMisused)
	}
	db, err := openStore(p.Settings, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := connect(ctx, p.Settings, db, log); err != nil {
		return told(err)
	}
	c, err := db.Configuration(ctx, app.DefaultAccountID)
	if app.CodeOf(err) == app.CodeNotFound {
		c, err = p.Settings.FirstConfiguration(), nil
	}
	if err != nil {
		return told(err)
	}
	if err := change(&c); err != nil {
		return fmt.Errorf("--rules: %w; %w", err, ErrMisused)
	}
	v := versions{db: db, account: app.DefaultAccountID, now: time.Now, log: log}
	began := time.Now()
	b, err := v.backtest(ctx, c, from, examples)
	switch wrong, ok := errors.AsType[*app.Error](err); {
	case ok && wrong.Code == app.CodeInvalid:
		return fmt.Errorf("--rules: %s; %w", fieldsOf(wrong), ErrMisused)
	case err != nil:
		return told(err)
	}
	return printBacktest(p.Stdout, b, from, time.Since(began))
}

// readRules reads a part of a configuration from a file, to be put over another.
func readRules(file string) (func(*app.Configuration) error, error) {
	if file == "" {
		return func(*app.Configuration) error { return nil }, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return func(c *app.Configuration) error {
		decoder := json.NewDecoder(strings.NewReader(string(content)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(c); err != nil {
			return fmt.Errorf("%q is no configuration as JSON: %w", file, err)
		}
		return nil
	}, nil
}

// fieldsOf names every wrong field of a configuration.
func fieldsOf(e *app.Error) string {
	var parts []string
	for field, wrong := range e.Fields {
		parts = append(parts, field+": "+wrong)
	}
	slices.Sort(parts)
	return e.Message + " " + strings.Join(parts, "; ")
}

// pointInTime reads "30d", "12h", "2027-01-31" or a time of RFC 3339.
func pointInTime(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if back, err := time.ParseDuration(text); err == nil && back > 0 {
		return now.Add(-back), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a stretch such as 30d or 12h nor a day such as 2027-01-31", text)
}

func printBacktest(w io.Writer, b rules.Backtest, from time.Time, took time.Duration) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%d jobs recorded since %s, decided again in %s.\n", b.Jobs, from.Format(time.DateOnly), took.Round(time.Millisecond))
	fmt.Fprintf(&text, "These rules would have accepted %d; %d were accepted: %d more and %d fewer.\n", b.WouldAccept, b.DidAccept, b.More, b.Fewer)
	if b.Lost > 0 {
		fmt.Fprintf(&text, "%d were tried and lost, as these rules would have tried them too.\n", b.Lost)
	}
	if b.Unknown > 0 {
		fmt.Fprintf(&text, "%d cannot be told: their details were not recorded.\n", b.Unknown)
	}
	list := func(title string, changes []rules.Change) {
		if len(changes) == 0 {
			return
		}
		fmt.Fprintf(&text, "\n%s\n", title)
		for _, c := range changes {
			fmt.Fprintf(&text, "  %-14s %s %-5s %-14s %s\n", c.Job.Ref, firstOf(c.Job.Date, "no day"), c.Job.Time, c.Job.Language, c.Reason)
		}
	}
	list("More:", b.MoreJobs)
	list("Fewer:", b.FewerJobs)
	_, err := io.WriteString(w, printable(text.String()))
	return err
}
