package calendar_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/calendar"
)

func location(tb testing.TB, name string) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

// year is the stretch that the tests ask for: 2027 in London.
func year(tb testing.TB) calendar.Options {
	return calendar.Options{
		Name: "Private", Zone: location(tb, "Europe/London"),
		From: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// file makes a calendar of the lines of its components.
func file(lines string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.ReplaceAll(strings.TrimSpace(lines), "\n", "\r\n") + "\r\nEND:VCALENDAR\r\n")
}

// event makes a calendar of one event.
func event(lines string) []byte {
	return file("BEGIN:VEVENT\nUID:1\nSUMMARY:dentist\n" + strings.TrimSpace(lines) + "\nEND:VEVENT")
}

// times writes bookings as "2027-01-14 14:30+60m" in London.
func times(tb testing.TB, bookings []app.Booking) []string {
	tb.Helper()
	all := []string{}
	for _, b := range bookings {
		all = append(all, fmt.Sprintf("%s+%s", b.StartsAt.In(location(tb, "Europe/London")).Format("2006-01-02 15:04"), strings.TrimSuffix(b.EndsAt.Sub(b.StartsAt).String(), "0s")))
	}
	return all
}

func TestWhatIsBusy(t *testing.T) {
	for _, c := range []struct {
		name, event string
		want        []string
	}{
		{"in UTC", "DTSTART:20270114T143000Z\nDTEND:20270114T153000Z", []string{"2027-01-14 14:30+1h0m"}},
		{"in UTC, in summer", "DTSTART:20270714T143000Z\nDTEND:20270714T153000Z", []string{"2027-07-14 15:30+1h0m"}},
		{"in a zone", "DTSTART;TZID=America/New_York:20270114T093000\nDTEND;TZID=America/New_York:20270114T103000", []string{"2027-01-14 14:30+1h0m"}},
		{"without a zone, in the user's", "DTSTART:20270714T143000\nDTEND:20270714T153000", []string{"2027-07-14 14:30+1h0m"}},
		{"with a duration", "DTSTART:20270114T143000Z\nDURATION:PT1H30M", []string{"2027-01-14 14:30+1h30m"}},
		{"with a duration of weeks and days", "DTSTART:20270114T143000Z\nDURATION:P1W", []string{"2027-01-14 14:30+168h0m"}},
		{"with a duration of days over the clock change", "DTSTART:20270327T120000\nDURATION:P1D", []string{"2027-03-27 12:00+23h0m"}},
		{"with a duration of hours over the clock change", "DTSTART:20270327T120000\nDURATION:PT24H", []string{"2027-03-27 12:00+24h0m"}},
		{"without an end: a reminder", "DTSTART:20270114T143000Z", []string{}},
		{"with the end at the beginning", "DTSTART:20270114T143000Z\nDTEND:20270114T143000Z", []string{}},
		{"a whole day", "DTSTART;VALUE=DATE:20270114", []string{"2027-01-14 00:00+24h0m"}},
		{"a whole day, to the next", "DTSTART;VALUE=DATE:20270114\nDTEND;VALUE=DATE:20270115", []string{"2027-01-14 00:00+24h0m"}},
		{"a whole day, to itself", "DTSTART;VALUE=DATE:20270114\nDTEND;VALUE=DATE:20270114", []string{"2027-01-14 00:00+24h0m"}},
		{"three whole days", "DTSTART;VALUE=DATE:20270114\nDTEND;VALUE=DATE:20270117", []string{"2027-01-14 00:00+72h0m"}},
		{"the whole day that has 23 hours", "DTSTART;VALUE=DATE:20270328", []string{"2027-03-28 00:00+23h0m"}},
		{"the whole day that has 25 hours", "DTSTART;VALUE=DATE:20271031", []string{"2027-10-31 00:00+25h0m"}},
		{"a whole day that says it is none", "DTSTART:20270114", []string{"2027-01-14 00:00+24h0m"}},
		{"free", "DTSTART:20270114T143000Z\nDTEND:20270114T153000Z\nTRANSP:TRANSPARENT", []string{}},
		{"free, in small letters", "dtstart:20270114T143000Z\ndtend:20270114T153000Z\ntransp:transparent", []string{}},
		{"opaque", "DTSTART:20270114T143000Z\nDTEND:20270114T153000Z\nTRANSP:OPAQUE", []string{"2027-01-14 14:30+1h0m"}},
		{"cancelled", "DTSTART:20270114T143000Z\nDTEND:20270114T153000Z\nSTATUS:CANCELLED", []string{}},
		{"tentative is busy", "DTSTART:20270114T143000Z\nDTEND:20270114T153000Z\nSTATUS:TENTATIVE", []string{"2027-01-14 14:30+1h0m"}},
		{"Outlook's free", "DTSTART:20270114T143000Z\nDTEND:20270114T153000Z\nX-MICROSOFT-CDO-BUSYSTATUS:FREE", []string{}},
		{"Outlook's out of office", "DTSTART:20270114T143000Z\nDTEND:20270114T153000Z\nX-MICROSOFT-CDO-BUSYSTATUS:OOF", []string{"2027-01-14 14:30+1h0m"}},
		{"our own feed's echo", "UID:job-1-2@atozbot", []string{}},
		{"before the stretch", "DTSTART:20261231T143000Z\nDTEND:20261231T153000Z", []string{}},
		{"into the stretch", "DTSTART:20261231T233000Z\nDTEND:20270101T003000Z", []string{"2026-12-31 23:30+1h0m"}},
		{"at its end", "DTSTART:20280101T000000Z\nDTEND:20280101T003000Z", []string{}},
		{"a time that the clock leaves out", "DTSTART:20270328T013000\nDTEND:20270328T023000", []string{"2027-03-28 00:30+2h0m"}},
		{"a time that the clock shows twice", "DTSTART:20271031T013000\nDTEND:20271031T030000", []string{"2027-10-31 01:30+2h30m"}},
		{"a leap second", "DTSTART:20270101T235960Z\nDTEND:20270102T010000Z", []string{"2027-01-01 23:59+1h0m1s"}},
		{"without seconds", "DTSTART:20270114T1430\nDTEND:20270114T1530", []string{"2027-01-14 14:30+1h0m"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := "BEGIN:VEVENT\nSUMMARY:dentist\n" + c.event + "\nEND:VEVENT"
			busy, err := calendar.Decode(file(lines), year(t))
			if err != nil || len(busy.Problems) > 0 {
				t.Fatal(err, busy.Problems)
			}
			if diff := cmp.Diff(c.want, times(t, busy.Bookings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecurrences(t *testing.T) {
	const start = "DTSTART;TZID=Europe/London:20270111T090000\nDURATION:PT1H\n" // A Monday.
	for _, c := range []struct {
		name, event string
		want        []string
	}{
		{"three days", start + "RRULE:FREQ=DAILY;COUNT=3", []string{"2027-01-11 09:00+1h0m", "2027-01-12 09:00+1h0m", "2027-01-13 09:00+1h0m"}},
		{"every other day until", start + "RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20270115T090000Z", []string{"2027-01-11 09:00+1h0m", "2027-01-13 09:00+1h0m", "2027-01-15 09:00+1h0m"}},
		{"until, a day", start + "RRULE:FREQ=DAILY;UNTIL=20270112", []string{"2027-01-11 09:00+1h0m", "2027-01-12 09:00+1h0m"}},
		{"until, on the wall clock", start + "RRULE:FREQ=DAILY;UNTIL=20270112T085959", []string{"2027-01-11 09:00+1h0m"}},
		{"weekdays", start + "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4", []string{"2027-01-11 09:00+1h0m", "2027-01-13 09:00+1h0m", "2027-01-18 09:00+1h0m", "2027-01-20 09:00+1h0m"}},
		{"the last Friday", start + "RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20270301T000000Z", []string{"2027-01-11 09:00+1h0m", "2027-01-29 09:00+1h0m", "2027-02-26 09:00+1h0m"}},
		{"the last working day", start + "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;UNTIL=20270301T000000Z", []string{"2027-01-11 09:00+1h0m", "2027-01-29 09:00+1h0m", "2027-02-26 09:00+1h0m"}},
		{"the 31st, where there is one", "DTSTART:20270131T090000Z\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;UNTIL=20270601T000000Z", []string{"2027-01-31 09:00+1h0m", "2027-03-31 10:00+1h0m", "2027-05-31 10:00+1h0m"}},
		{"over the clock change, on the wall clock", "DTSTART;TZID=Europe/London:20270326T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4", []string{"2027-03-26 09:00+1h0m", "2027-03-27 09:00+1h0m", "2027-03-28 09:00+1h0m", "2027-03-29 09:00+1h0m"}},
		{"into the hour that is left out", "DTSTART;TZID=Europe/London:20270327T013000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=3", []string{"2027-03-27 01:30+30m", "2027-03-28 00:30+1h30m", "2027-03-29 01:30+30m"}},
		{"without exceptions", start + "RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/London:20270112T090000", []string{"2027-01-11 09:00+1h0m", "2027-01-13 09:00+1h0m"}},
		{"exceptions in UTC, several", start + "RRULE:FREQ=DAILY;COUNT=4\nEXDATE:20270112T090000Z,20270111T090000Z", []string{"2027-01-13 09:00+1h0m", "2027-01-14 09:00+1h0m"}},
		{"an exception at another time is none", start + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20270112T100000Z", []string{"2027-01-11 09:00+1h0m", "2027-01-12 09:00+1h0m"}},
		{"an exception that is a day removes no time", start + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20270112", []string{"2027-01-11 09:00+1h0m", "2027-01-12 09:00+1h0m"}},
		{"whole days with an exception", "DTSTART;VALUE=DATE:20270111\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20270112", []string{"2027-01-11 00:00+24h0m", "2027-01-13 00:00+24h0m"}},
		{"whole days with an exception at midnight", "DTSTART;VALUE=DATE:20270111\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20270112T000000", []string{"2027-01-11 00:00+24h0m", "2027-01-13 00:00+24h0m"}},
		{"further dates", start + "RDATE;TZID=Europe/London:20270120T140000,20270121T140000", []string{"2027-01-11 09:00+1h0m", "2027-01-20 14:00+1h0m", "2027-01-21 14:00+1h0m"}},
		{"further periods", start + "RDATE;VALUE=PERIOD:20270120T140000Z/20270120T143000Z,20270121T140000Z/PT2H", []string{"2027-01-11 09:00+1h0m", "2027-01-20 14:00+30m", "2027-01-21 14:00+2h0m"}},
		{"a birthday of no year", "DTSTART;VALUE=DATE:16040302\nRRULE:FREQ=YEARLY", []string{"2027-03-02 00:00+24h0m"}},
		{"29 February comes in leap years", "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY", []string{}},
		{"of long ago", "DTSTART:20000103T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;INTERVAL=26", []string{"2027-05-31 09:00+1h0m", "2027-11-29 09:00+1h0m"}},
		{"ended long ago", "DTSTART:20000103T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=10", []string{}},
		{"every six hours", "DTSTART:20270111T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;INTERVAL=6;COUNT=3", []string{"2027-01-11 00:00+1h0m", "2027-01-11 06:00+1h0m", "2027-01-11 12:00+1h0m"}},
		{"every six hours until", "DTSTART:20270111T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;INTERVAL=6;UNTIL=20270111T060000Z", []string{"2027-01-11 00:00+1h0m", "2027-01-11 06:00+1h0m"}},
		{"free as a whole", start + "RRULE:FREQ=DAILY;COUNT=3\nTRANSP:TRANSPARENT", []string{}},
		{"small letters and a semicolon too many", start + "rrule:freq=daily;count=2;", []string{"2027-01-11 09:00+1h0m", "2027-01-12 09:00+1h0m"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			busy, err := calendar.Decode(event(c.event), year(t))
			if err != nil || len(busy.Problems) > 0 {
				t.Fatal(err, busy.Problems)
			}
			if diff := cmp.Diff(c.want, times(t, busy.Bookings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInstancesThatReplaceOthers(t *testing.T) {
	const series = `
BEGIN:VEVENT
UID:1
DTSTART;TZID=Europe/London:20270111T090000
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=3
END:VEVENT
`
	instance := func(lines string) string {
		return series + "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Europe/London:20270112T090000\n" + lines + "\nEND:VEVENT"
	}
	for _, c := range []struct {
		name, lines string
		want        []string
	}{
		{"moved", instance("DTSTART:20270112T150000Z\nDURATION:PT30M"), []string{"2027-01-11 09:00+1h0m", "2027-01-12 15:00+30m", "2027-01-13 09:00+1h0m"}},
		{"cancelled", instance("DTSTART:20270112T090000Z\nSTATUS:CANCELLED"), []string{"2027-01-11 09:00+1h0m", "2027-01-13 09:00+1h0m"}},
		{"free", instance("DTSTART:20270112T090000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT"), []string{"2027-01-11 09:00+1h0m", "2027-01-13 09:00+1h0m"}},
		{"moved, and moved again", instance("DTSTART:20270112T150000Z\nDURATION:PT30M\nSEQUENCE:1\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20270112T090000Z\nDTSTART:20270112T170000Z\nDURATION:PT30M\nSEQUENCE:2"), []string{"2027-01-11 09:00+1h0m", "2027-01-12 17:00+30m", "2027-01-13 09:00+1h0m"}},
		{"of a series that is not there", "BEGIN:VEVENT\nUID:2\nRECURRENCE-ID:20270112T090000Z\nDTSTART:20270112T150000Z\nDURATION:PT30M\nEND:VEVENT", []string{"2027-01-12 15:00+30m"}},
		{"the whole series, changed later", series + strings.Replace(series, "UID:1", "UID:1\nSEQUENCE:3\nSUMMARY:new", 1), []string{"2027-01-11 09:00+1h0m", "2027-01-12 09:00+1h0m", "2027-01-13 09:00+1h0m"}},
		{"the whole series, free later", series + strings.Replace(series, "UID:1", "UID:1\nSEQUENCE:3\nTRANSP:TRANSPARENT", 1), []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			busy, err := calendar.Decode(file(c.lines), year(t))
			if err != nil || len(busy.Problems) > 0 {
				t.Fatal(err, busy.Problems)
			}
			if diff := cmp.Diff(c.want, times(t, busy.Bookings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestZonesByTheirManyNames(t *testing.T) {
	const definition = `
BEGIN:VTIMEZONE
TZID:Office in the hills
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:Vienna office
X-LIC-LOCATION:Europe/Vienna
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
`
	for zone, want := range map[string]string{
		"Europe/Warsaw":                                                  "2027-07-14 13:30+1h0m",
		"Central European Standard Time":                                 "2027-07-14 13:30+1h0m",
		"GMT Standard Time":                                              "2027-07-14 14:30+1h0m",
		"Eastern Standard Time":                                          "2027-07-14 19:30+1h0m",
		"AUS Eastern Standard Time":                                      "2027-07-14 05:30+1h0m",
		"/citadel.org/20190914_1/Europe/Berlin":                          "2027-07-14 13:30+1h0m",
		"/freeassociation.sourceforge.net/Tzfile/America/New_York":       "2027-07-14 19:30+1h0m",
		`"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"`: "2027-07-14 13:30+1h0m",
		`"(UTC+00:00) Dublin, Edinburgh, Lisbon, London"`:                "2027-07-14 14:30+1h0m",
		"Vienna office":                                                  "2027-07-14 13:30+1h0m",
		"Office in the hills":                                            "2027-07-14 12:30+2h0m", // Under both of its offsets.
		"UTC":                                                            "2027-07-14 15:30+1h0m",
	} {
		t.Run(zone, func(t *testing.T) {
			busy, err := calendar.Decode(file(strings.TrimSpace(definition)+"\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID="+zone+":20270714T143000\nDTEND;TZID="+zone+":20270714T153000\nEND:VEVENT"), year(t))
			if err != nil || len(busy.Problems) > 0 {
				t.Fatal(err, busy.Problems)
			}
			if diff := cmp.Diff([]string{want}, times(t, busy.Bookings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFreeBusyLists(t *testing.T) {
	busy, err := calendar.Decode(file("BEGIN:VFREEBUSY\nFREEBUSY;FBTYPE=BUSY:20270114T143000Z/20270114T153000Z,20270115T090000Z/PT2H\nFREEBUSY;FBTYPE=FREE:20270116T090000Z/PT2H\nFREEBUSY:20270117T090000Z/PT1H\nEND:VFREEBUSY"), year(t))
	if err != nil || len(busy.Problems) > 0 {
		t.Fatal(err, busy.Problems)
	}
	if diff := cmp.Diff([]string{"2027-01-14 14:30+1h0m", "2027-01-15 09:00+2h0m", "2027-01-17 09:00+1h0m"}, times(t, busy.Bookings)); diff != "" {
		t.Error(diff)
	}
}

// What cannot be read of an event is told, and the rest of the calendar stays busy.
func TestWhatCannotBeReadIsTold(t *testing.T) {
	const other = "\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTSTART:20270120T100000Z\nDURATION:PT1H"
	for _, c := range []struct {
		name, event, problem string
		busy                 int
	}{
		{"no beginning", "DURATION:PT1H", "no beginning", 1},
		{"a beginning that is none", "DTSTART:tomorrow\nDURATION:PT1H", "could not be understood", 1},
		{"30 February", "DTSTART:20270230T100000Z\nDURATION:PT1H", "could not be understood", 1},
		{"a broken line", "DTSTART\nDURATION:PT1H", "no beginning", 1},
		{"a broken parameter", "DTSTART;TZID:20270114T100000\nDURATION:PT1H", "could not be read", 1},
		{"an end before the beginning", "DTSTART:20270114T100000Z\nDTEND:20270114T090000Z", "before it begins", 1},
		{"an unknown zone", "DTSTART;TZID=Mars/Olympus:20270114T100000\nDURATION:PT1H", "not known", 1},
		{"an unknown duration", "DTSTART:20270114T100000Z\nDURATION:one hour", "duration", 1},
		{"a duration of centuries", "DTSTART:20270114T100000Z\nDURATION:P999999D", "duration", 1},
		{"an unknown rule", "DTSTART:20270114T100000Z\nDURATION:PT1H\nRRULE:FREQ=FORTNIGHTLY", "repetition", 2},
		{"a rule without a frequency", "DTSTART:20270114T100000Z\nDURATION:PT1H\nRRULE:COUNT=3", "repetition", 2},
		{"a rule out of range", "DTSTART:20270114T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=13", "repetition", 2},
		{"an hourly rule with parts", "DTSTART:20270114T100000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;INTERVAL=2;BYHOUR=1", "by hours or less", 2},
		{"a rule of seconds", "DTSTART:20270114T100000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY", "too often", 3},
		{"a rule of a thousand times a day", "DTSTART:20270114T100000Z\nDURATION:PT1S\nRRULE:FREQ=DAILY;BYMINUTE=" + numbers(0, 59) + ";BYSECOND=" + numbers(0, 59), "too many parts", 2},
		{"an exception that is none", "DTSTART:20270114T100000Z\nDURATION:PT1H\nEXDATE:never", "exceptions", 2},
		{"a further date that is none", "DTSTART:20270114T100000Z\nDURATION:PT1H\nRDATE:sometimes", "further date", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			busy, err := calendar.Decode(event(c.event+other), year(t))
			if err != nil {
				t.Fatal(err)
			}
			if len(busy.Problems) != 1 || !strings.Contains(busy.Problems[0], c.problem) || !strings.HasPrefix(busy.Problems[0], "dentist: ") {
				t.Errorf("problems %q, want one with %q", busy.Problems, c.problem)
			}
			if len(busy.Bookings) != c.busy {
				t.Errorf("busy: %v", times(t, busy.Bookings))
			}
		})
	}
}

func numbers(from, to int) string {
	var s []string
	for n := from; n <= to; n++ {
		s = append(s, fmt.Sprint(n))
	}
	return strings.Join(s, ",")
}

func TestWhatIsNoCalendarIsAnError(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":         "",
		"a page":          "<!DOCTYPE html><html>Please sign in</html>",
		"text":            "hello",
		"an event alone":  "BEGIN:VEVENT\nEND:VEVENT",
		"cut in an event": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270114T100000Z\n",
		"cut after one":   "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\n",
		"crossed":         "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT\n",
		"too deep":        "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:X\n", 20),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := calendar.Decode([]byte(data), year(t)); app.CodeOf(err) != app.CodeInvalid {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A file as programs write it: a byte-order mark, lines folded in the middle of a letter,
// alarms inside events, attachments, a line that nobody understands.
func TestAFileAsProgramsWriteIt(t *testing.T) {
	data := "\ufeffBEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Mine\nBEGIN:VEVENT\nUID:1\n" +
		"SUMMARY:Zahn\u00c3\n \u00a4rztin\\, Dr. M\xc3\n \xbcller\\; bitte p\u00fcnktlich\nDTSTART:2027\n 0114T1\n\t00000Z\nDTEND:20270114T110000Z\n" +
		"ATTACH;ENCODING=BASE64:AAAA\n AAAA\nthis is no line at all\nBEGIN:VALARM\nDTSTART:20270101T000000Z\nTRIGGER:-PT15M\nEND:VALARM\nEND:VEVENT\n\nBEGIN:VTODO\nDTSTART:20270114T100000Z\nDURATION:PT1H\nEND:VTODO\nEND:VCALENDAR"
	busy, err := calendar.Decode([]byte(data), year(t))
	if err != nil || len(busy.Problems) > 0 {
		t.Fatal(err, busy.Problems)
	}
	want := []app.Booking{{
		Label:    "calendar Private: Zahn\u00c3\u00a4rztin, Dr. M\u00fcller; bitte p\u00fcnktlich",
		StartsAt: time.Date(2027, 1, 14, 10, 0, 0, 0, time.UTC), EndsAt: time.Date(2027, 1, 14, 11, 0, 0, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, busy.Bookings); diff != "" {
		t.Error(diff)
	}
}

// Rules that match nothing are followed to the end of the calendar's days; a calendar full
// of them still ends, and says so.
func TestRulesThatMatchNothingEnd(t *testing.T) {
	var lines []string
	for n := range 400 {
		lines = append(lines, fmt.Sprintf("BEGIN:VEVENT\nUID:%d\nDTSTART:20270114T100000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT", n))
	}
	busy, err := calendar.Decode(file(strings.Join(lines, "\n")), year(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(busy.Bookings) != 400 || len(busy.Problems)+busy.MoreProblems != 200 {
		t.Errorf("%d busy, %d problems and %d more", len(busy.Bookings), len(busy.Problems), busy.MoreProblems)
	}
}

func TestACalendarWithTooMuchIsAnError(t *testing.T) {
	var lines []string
	for n := range 20 {
		lines = append(lines, fmt.Sprintf("BEGIN:VEVENT\nUID:%d\nDTSTART:20270101T000000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY\nEND:VEVENT", n))
	}
	if _, err := calendar.Decode(file(strings.Join(lines, "\n")), year(t)); app.CodeOf(err) != app.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

func TestBookingsComeInOrder(t *testing.T) {
	busy, err := calendar.Decode(file("BEGIN:VEVENT\nUID:1\nDTSTART:20270301T100000Z\nDURATION:PT1H\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTSTART:20270201T100000Z\nDURATION:PT1H\nEND:VEVENT"), year(t))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(busy.Bookings, func(a, b app.Booking) int { return a.StartsAt.Compare(b.StartsAt) }) || len(busy.Bookings) != 2 {
		t.Error(times(t, busy.Bookings))
	}
	for _, b := range busy.Bookings {
		if b.Firm || b.Number != "" {
			t.Errorf("an entry counts as a booking of ours: %+v", b)
		}
	}
}
