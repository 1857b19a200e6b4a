package calendar_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/calendar"
)

func feedOptions() calendar.FeedOptions {
	return calendar.FeedOptions{Name: "Interpreting", Version: "1.2.3", Now: time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC)}
}

func acceptedJob() app.JobRecord {
	start := time.Date(2027, 1, 14, 14, 30, 0, 0, time.UTC)
	return app.JobRecord{
		AccountID: app.DefaultAccountID, Number: "48213", Ref: "48213/A", Language: "Polish", JobType: "Telephone interpreting",
		Date: "2027-01-14", Time: "14:30", DurationText: "1 hour", DurationMinutes: 60, StartsAt: start, EndsAt: start.Add(time.Hour),
		Status: app.JobAccepted, DetailsURL: "https://portal.example/interpreter-jobs/48213",
		ConfirmedAt: time.Date(2027, 1, 10, 8, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2027, 1, 10, 8, 0, 1, 0, time.UTC),
	}
}

func TestAnAcceptedJobIsAnEvent(t *testing.T) {
	want := strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//atozbot//1.2.3//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
		"NAME:Interpreting", "X-WR-CALNAME:Interpreting", "REFRESH-INTERVAL;VALUE=DURATION:PT5M", "X-PUBLISHED-TTL:PT5M",
		"BEGIN:VEVENT", "UID:job-48213-00000000-0000-7000-8000-000000000001@atozbot",
		"DTSTAMP:20270110T080001Z", "LAST-MODIFIED:20270110T080001Z", "CREATED:20270110T080000Z", "SEQUENCE:221731201",
		"DTSTART:20270114T143000Z", "DTEND:20270114T153000Z", "STATUS:CONFIRMED", "TRANSP:OPAQUE",
		"SUMMARY:Polish (48213/A)\\, Telephone interpreting",
		"DESCRIPTION:Job 48213/A\\nLanguage: Polish\\nType: Telephone", "  interpreting\\nDuration: 1 hour",
		"URL:https://portal.example/interpreter-jobs/48213", "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n")
	got := calendar.Encode([]app.JobRecord{acceptedJob()}, feedOptions())
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if again := calendar.Encode([]app.JobRecord{acceptedJob()}, feedOptions()); !bytes.Equal(got, again) {
		t.Error("the same jobs gave other bytes")
	}
}

func TestAVanishedJobIsCancelledUnderTheSameUID(t *testing.T) {
	before := acceptedJob()
	after := before
	after.VanishedAt = before.UpdatedAt.Add(time.Hour)
	after.UpdatedAt = after.VanishedAt
	first, second := calendar.Encode([]app.JobRecord{before}, feedOptions()), calendar.Encode([]app.JobRecord{after}, feedOptions())
	if line(first, "UID:") != line(second, "UID:") || line(first, "UID:") == "" {
		t.Errorf("UID %q became %q", line(first, "UID:"), line(second, "UID:"))
	}
	if line(second, "STATUS:") != "CANCELLED" || line(second, "TRANSP:") != "TRANSPARENT" {
		t.Errorf("a job that is gone still takes time:\n%s", second)
	}
	if line(second, "SEQUENCE:") <= line(first, "SEQUENCE:") {
		t.Errorf("SEQUENCE %s became %s", line(first, "SEQUENCE:"), line(second, "SEQUENCE:"))
	}
}

func line(file []byte, name string) string {
	for l := range strings.SplitSeq(string(file), "\r\n") {
		if value, ok := strings.CutPrefix(l, name); ok {
			return value
		}
	}
	return ""
}

func TestOnlyAcceptedJobsWithADayAreInTheFeed(t *testing.T) {
	for _, status := range []app.JobStatus{app.JobMatched, app.JobRejected, app.JobLost, app.JobRefused, app.JobUnknown, app.JobFailed} {
		j := acceptedJob()
		j.Status = status
		if got := calendar.Encode([]app.JobRecord{j}, feedOptions()); bytes.Contains(got, []byte("VEVENT")) {
			t.Errorf("a job that is %s is in the feed", status)
		}
	}
	undated := acceptedJob()
	undated.StartsAt, undated.EndsAt, undated.Date = time.Time{}, time.Time{}, ""
	if got := calendar.Encode([]app.JobRecord{undated}, feedOptions()); bytes.Contains(got, []byte("VEVENT")) {
		t.Error("a job without a day is in the feed")
	}
	untimed := acceptedJob()
	untimed.StartsAt, untimed.EndsAt = time.Time{}, time.Time{}
	if got := calendar.Encode([]app.JobRecord{untimed}, feedOptions()); line(got, "DTSTART;VALUE=DATE:") != "20270114" {
		t.Errorf("a job without a time is not on its day:\n%s", got)
	}
}

// checkFeed holds what every line of a calendar has to be (section 3.1), and that the
// texts come back as they were.
func checkFeed(tb testing.TB, got []byte) {
	tb.Helper()
	if !utf8.Valid(got) {
		tb.Errorf("not UTF-8: %q", got)
	}
	lines := strings.Split(string(got), "\r\n")
	if lines[len(lines)-1] != "" {
		tb.Errorf("the last line has no end: %q", lines[len(lines)-1])
	}
	for _, l := range lines {
		if len(l) > 75 {
			tb.Errorf("a line of %d bytes: %q", len(l), l)
		}
		if strings.ContainsAny(l, "\r\n\x00") {
			tb.Errorf("a line holds a line end: %q", l)
		}
	}
	// Under another UID it is a calendar as any other.
	busy, err := calendar.Decode(bytes.ReplaceAll(got, []byte("@atozbot"), []byte("@other")), calendar.Options{
		Zone: time.UTC, From: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil || len(busy.Problems) > 0 {
		tb.Fatal(err, busy.Problems)
	}
	if len(busy.Bookings) != 1 || !busy.Bookings[0].StartsAt.Equal(acceptedJob().StartsAt) || !busy.Bookings[0].EndsAt.Equal(acceptedJob().EndsAt) {
		tb.Errorf("read back: %+v", busy.Bookings)
	}
}

func TestTextsAreEscapedAndFolded(t *testing.T) {
	for _, text := range []string{
		"Polish", "a, b; c \\ d", "line\nbreak\r\nand\ttab", strings.Repeat("long ", 60), strings.Repeat("ü", 200), strings.Repeat("😀", 100),
		"BEGIN:VEVENT\r\nEND:VEVENT", "\x00\x01\x7f", "broken \xff bytes", strings.Repeat("x", 300), ":", `"`,
	} {
		j := acceptedJob()
		j.Language, j.JobType, j.Ref, j.DurationText = text, text, text, text
		j.DetailsURL = "https://portal.example/?q=" + text
		checkFeed(t, calendar.Encode([]app.JobRecord{j}, feedOptions()))
	}
}
