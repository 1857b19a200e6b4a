package rules_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules"
)

// The decisions of testdata/decisions.txt, one line each, are the specification of this
// package; how its lines are read is told at its top.
func TestDecisionsAreAsSpecified(t *testing.T) {
	sections := readSpecification(t, "testdata/decisions.txt")
	count := 0
	for _, section := range sections {
		t.Run(section.title, func(t *testing.T) {
			set, err := rules.Compile(section.configuration)
			if err != nil {
				t.Fatalf("line %d: the rules do not compile: %v", section.line, err)
			}
			for _, c := range section.cases {
				count++
				got := set.Decide(c.job, c.tally, c.now)
				if told := tell(got); told != c.want {
					t.Errorf("line %d: %s\n got %s (%s)\nwant %s", c.line, c.written, told, got.Reason, c.want)
				}
				holdTrace(t, c, got)
				if again := set.Decide(c.job, c.tally, c.now); !cmp.Equal(got, again) {
					t.Errorf("line %d: the same job was decided differently: %s", c.line, cmp.Diff(got, again))
				}
			}
		})
	}
	if count < 300 {
		t.Errorf("the specification has %d cases, fewer than 300", count)
	}
	t.Logf("%d cases in %d sections", count, len(sections))
}

// tell writes a decision as the specification does.
func tell(d app.Decision) string {
	s := string(d.Verdict)
	if d.Rule != "" {
		s += " " + d.Rule
	}
	for _, c := range d.Checks {
		if c.Rule == d.Rule && c.Held == app.Unknown {
			s += "?"
		}
	}
	if d.NeedsDetails {
		s += " read"
	}
	return s
}

// holdTrace holds what is true of every decision.
func holdTrace(t *testing.T, c specCase, d app.Decision) {
	t.Helper()
	names := rules.Rules()
	if len(d.Checks) != len(names) {
		t.Fatalf("line %d: %d checks for %d rules", c.line, len(d.Checks), len(names))
	}
	for i, check := range d.Checks {
		if check.Rule != names[i] {
			t.Errorf("line %d: check %d is of rule %s, not of %s", c.line, i, check.Rule, names[i])
		}
		if check.Reason == "" || check.Wanted == "" {
			t.Errorf("line %d: %s gives no reason or no wish: %+v", c.line, check.Rule, check)
		}
		if check.Held != app.Yes && d.Verdict == app.VerdictAccept {
			t.Errorf("line %d: accepted though %s %s", c.line, check.Rule, check.Held)
		}
		if check.Held != app.Yes && d.Verdict == app.VerdictAsk && check.Rule != rules.RuleAsk {
			t.Errorf("line %d: asked though %s %s", c.line, check.Rule, check.Held)
		}
	}
	if d.Reason == "" {
		t.Errorf("line %d: no reason", c.line)
	}
	if d.NeedsDetails && c.job.Details != nil {
		t.Errorf("line %d: details are asked for twice", c.line)
	}
}

type specSection struct {
	title         string
	line          int
	configuration app.Configuration
	now           time.Time
	tally         app.Tally
	cases         []specCase
}

type specCase struct {
	line    int
	written string
	job     app.Job
	tally   app.Tally
	now     time.Time
	want    string
}

func readSpecification(t *testing.T, path string) []*specSection {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var sections []*specSection
	var at *specSection
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		fail := func(err error) {
			if err != nil {
				t.Fatalf("%s:%d: %v", path, n, err)
			}
		}
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			if title, ok := strings.CutPrefix(line, "## "); ok {
				at = &specSection{title: title, line: n, configuration: app.DefaultConfiguration(), now: time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC)}
				sections = append(sections, at)
			}
		case strings.HasPrefix(line, "rules "):
			fail(json.Unmarshal([]byte(line[6:]), &at.configuration))
		case strings.HasPrefix(line, "now "):
			at.now, err = time.Parse(time.RFC3339, line[4:])
			fail(err)
		case strings.HasPrefix(line, "booked "):
			b, err := readBooking(line[7:], at.configuration.TimeZone, len(at.tally.Bookings))
			fail(err)
			at.tally.Bookings = append(at.tally.Bookings, b)
		default:
			c, err := readCase(line, at)
			fail(err)
			c.line = n
			at.cases = append(at.cases, c)
		}
	}
	return sections
}

func readBooking(line, zone string, n int) (app.Booking, error) {
	words, err := split(line)
	if err != nil {
		return app.Booking{}, err
	}
	if len(words) < 3 {
		return app.Booking{}, fmt.Errorf("a booking is DAY TIME MINUTES: %q", line)
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return app.Booking{}, err
	}
	start, err := time.ParseInLocation("2006-01-02 15:04", words[0]+" "+words[1], location)
	if err != nil {
		return app.Booking{}, err
	}
	minutes, err := strconv.Atoi(words[2])
	if err != nil {
		return app.Booking{}, err
	}
	number := strconv.Itoa(1000 + n)
	b := app.Booking{
		Number: number, Label: number + "/A", JobType: "Telephone interpreting", Firm: true,
		StartsAt: start.UTC(), EndsAt: start.UTC().Add(time.Duration(minutes) * time.Minute),
	}
	for _, w := range words[3:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "calendar":
			b.Number, b.Label, b.JobType, b.Firm = "", "calendar Private: dentist", "", false
		case "type":
			b.JobType = value
		case "number":
			b.Number = value
		default:
			return b, fmt.Errorf("a booking has no %q", name)
		}
	}
	return b, nil
}

// readCase reads `name=value name="two words" -> verdict`.
func readCase(line string, at *specSection) (specCase, error) {
	left, want, ok := strings.Cut(line, "->")
	if !ok {
		return specCase{}, fmt.Errorf("no -> in %q", line)
	}
	want, _, _ = strings.Cut(want, " #")
	c := specCase{written: line, job: baseJob(), tally: at.tally, now: at.now, want: strings.TrimSpace(want)}
	words, err := split(left)
	if err != nil {
		return c, err
	}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		if err := c.set(name, value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// baseJob is the job that the cases change: it fits out of the box.
func baseJob() app.Job {
	return app.Job{
		Number: "48213", Ref: "48213/A", Language: "Polish",
		SubmittedText: "10/01/2027 08:55", DateText: "14/01/2027", TimeText: "14:30", DurationText: "1 hour", StatusText: "Matched",
		Date: "2027-01-14", Time: "14:30", DurationMinutes: 60, State: app.StateMatched,
		DetailsURL: "https://portal.example/interpreter-jobs/48213",
		Details:    &app.Details{Number: "48213", Type: "Telephone interpreting"},
	}
}

func (c *specCase) set(name, value string) error {
	j := &c.job
	switch name {
	case "ref":
		j.Ref = value
	case "number":
		j.Number, j.Details.Number = value, value
	case "language":
		j.Language = value
	case "submitted":
		j.SubmittedText = value
	case "date": // As understood; "" and a text for one that is not.
		j.Date, j.DateText = value, value
	case "datetext":
		j.Date, j.DateText = "", value
	case "time":
		j.Time, j.TimeText = value, value
	case "timetext":
		j.Time, j.TimeText = "", value
	case "for":
		n, err := strconv.Atoi(value)
		j.DurationMinutes, j.DurationText = n, value+" minutes"
		return err
	case "fortext":
		j.DurationMinutes, j.DurationText = 0, value
	case "status":
		j.StatusText = value
	case "state":
		j.State = app.JobState(value)
	case "type":
		j.Details.Type = value
	case "details":
		switch value {
		case "none":
			j.Details = nil
		case "foreign":
			j.Details.Number = "99999"
		default:
			return fmt.Errorf("details can be none or foreign")
		}
	case "link":
		j.DetailsURL = ""
	case "dstatus":
		j.Details.StatusText = value
	case "dstate":
		j.Details.State = app.JobState(value)
	case "label":
		label, text, _ := strings.Cut(value, ":")
		j.Details.Labels = append(j.Details.Labels, app.LabelledText{Label: label, Text: strings.TrimSpace(text)})
	case "row":
		j.Row = strings.Split(value, "|")
	case "session":
		n, err := strconv.Atoi(value)
		c.tally.Session = n
		return err
	case "rejected":
		n, err := strconv.Atoi(value)
		c.tally.Rejected = n
		return err
	case "now":
		now, err := time.Parse(time.RFC3339, value)
		c.now = now
		return err
	default:
		return fmt.Errorf("a job has no %q", name)
	}
	return nil
}

// split parts a line at its spaces; quotation marks hold words together, and in them \n,
// \t and \u00e9 mean what they do in Go.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		case '"':
			quoted, err := strconv.QuotedPrefix(line[i:])
			if err != nil {
				return nil, fmt.Errorf("%w in %q", err, line)
			}
			plain, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			word.WriteString(plain)
			i += len(quoted) - 1
			inWord = true
		default:
			word.WriteByte(line[i])
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
