package portal

import (
	"testing"
	"time"
)

func london(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

func TestADateIsReadAsABritonReadsItOrNotAtAll(t *testing.T) {
	zone := london(t)
	const unclear = ""
	for written, want := range map[string]string{
		// The forms that the portal is known to use.
		"2024-01-15": "2024-01-15",
		"15/01/2024": "2024-01-15",
		"2027-12-31": "2027-12-31",
		"31/12/2027": "2027-12-31",
		"01/02/2024": "2024-02-01", // The day is first, always.
		"12/11/2024": "2024-11-12",

		// Stray white space, and characters that nobody sees.
		" 15/01/2024 ":          "2024-01-15",
		"15 / 01 / 2024":        "2024-01-15",
		"\n15/01\u200b/2024\t":  "2024-01-15",
		"15\u00a0Jan\u00a02024": "2024-01-15",

		// Other signs between the numbers, and fewer digits.
		"15-01-2024":           "2024-01-15",
		"15.01.2024":           "2024-01-15",
		"15‐01‐2024":           "2024-01-15",
		"5/1/2024":             "2024-01-05",
		"2024/01/15":           "2024-01-15",
		"2024.1.5":             "2024-01-05",
		"15/1/24":              "2024-01-15",
		"15.01.24":             "2024-01-15",
		"03/04/24":             "2024-04-03",
		"29/02/2024":           "2024-02-29",
		"15/01-2024":           unclear,
		"15 01 2024":           unclear,
		"20240115":             unclear,
		"15-01-24":             unclear, // Which of them is the year?
		"24-01-15":             unclear,
		"1/2/3":                unclear,
		"15/01/024":            unclear,
		"15/01/20240":          unclear,
		"015/01/2024":          unclear,
		"99999999999999999999": unclear,

		// The month in letters.
		"15 Jan 2024":            "2024-01-15",
		"15 JANUARY 2024":        "2024-01-15",
		"15 Sept. 2024":          "2024-09-15",
		"15-Jan-2024":            "2024-01-15",
		"15/Jan/24":              "2024-01-15",
		"15 Jan, 2024":           "2024-01-15",
		"15th January 2024":      "2024-01-15",
		"15th of January, 2024":  "2024-01-15",
		"1st March 2024":         "2024-03-01",
		"22nd Feb 2024":          "2024-02-22",
		"3rd May 2024":           "2024-05-03",
		"11th May 2024":          "2024-05-11",
		"January 15, 2024":       "2024-01-15",
		"Jan 15th 2024":          "2024-01-15",
		"Jan 15 24":              unclear,
		"15 Jan":                 unclear,
		"January 2024":           unclear,
		"11st May 2024":          unclear,
		"15 Janvier 2024":        unclear,
		"15 Jan Feb 2024":        unclear,
		"15 Mai 2024":            unclear,
		"Monday":                 unclear,
		"today":                  unclear,
		"Tomorrow":               unclear,
		"TBC":                    unclear,
		"":                       unclear,
		"-":                      unclear,
		"15/01/2024 or later":    unclear,
		"15/01/2024 16/01/2024":  unclear,
		"15/01/2024-16/01/2024":  unclear,
		"15 - 16 January 2024":   unclear,
		"w/c 15/01/2024":         unclear,
		"15/01/2024 (cancelled)": unclear,

		// A weekday must be that day's.
		"Mon 15/01/2024":            "2024-01-15",
		"Monday, 15 January 2024":   "2024-01-15",
		"Mon. 15th Jan 2024":        "2024-01-15",
		"15/01/2024 (Mon)":          "2024-01-15",
		"15 January 2024, Monday":   "2024-01-15",
		"Thurs 18 January 2024":     "2024-01-18",
		"Tue 15/01/2024":            unclear,
		"15 January 2024 (Tuesday)": unclear,

		// Days and months that there are not.
		"01/13/2024": unclear, // No thirteenth month, and no month first.
		"31/04/2024": unclear,
		"29/02/2023": unclear,
		"30/02/2024": unclear,
		"32/01/2024": unclear,
		"00/01/2024": unclear,
		"15/00/2024": unclear,
		"2024-13-01": unclear,
		"2024-02-30": unclear,
		"15/01/0024": unclear,
		"15/01/1970": unclear,

		// A time of day behind it makes no other day; a zone of its own can.
		"15/01/2024 14:30":            "2024-01-15",
		"15/01/2024, 2:30 pm":         "2024-01-15",
		"15/01/2024 at 14:30":         "2024-01-15",
		"15/01/2024 - 14:30":          "2024-01-15",
		"2024-01-15T14:30:00":         "2024-01-15",
		"2024-01-15 14:30:00":         "2024-01-15",
		"2024-01-15T14:30:00Z":        "2024-01-15",
		"2024-01-15T14:30:00+00:00":   "2024-01-15",
		"2024-07-14T23:00:00.000000Z": "2024-07-15", // Midnight in London's summer.
		"2024-07-15T00:30:00+05:30":   "2024-07-14",
		"15/01/2024 25:00":            unclear,
		"15/01/2024 14:30 sharp":      unclear,
		"15/01/2024 9":                unclear,
	} {
		day, ok := ParseDate(written, zone)
		if ok != (want != unclear) || day != want {
			t.Errorf("%q was read as %q (%v), and means %q", written, day, ok, want)
		}
	}
}

func TestAMomentIsReadInThePortalsZone(t *testing.T) {
	zone := london(t)
	const unclear = ""
	for written, want := range map[string]string{
		"15/01/2024":                    "2024-01-15T00:00:00Z",
		"15/07/2024":                    "2024-07-14T23:00:00Z", // Midnight in summer time.
		"15/01/2024 14:30":              "2024-01-15T14:30:00Z",
		"15/07/2024 14:30":              "2024-07-15T13:30:00Z",
		"15/07/2024 14:30:15":           "2024-07-15T13:30:15Z",
		"15/07/2024 14:30 BST":          "2024-07-15T13:30:00Z",
		"15/07/2024 14:30 GMT":          "2024-07-15T14:30:00Z",
		"14:30 15/07/2024":              "2024-07-15T13:30:00Z",
		"2:30pm on 15 July 2024":        "2024-07-15T13:30:00Z",
		"14:30, Mon 15 July 2024":       "2024-07-15T13:30:00Z",
		"2024-07-15T13:30:00.123456Z":   "2024-07-15T13:30:00Z",
		"2024-07-15T13:30:00-0500":      "2024-07-15T18:30:00Z",
		"2024-07-15T13:30:00+01":        "2024-07-15T12:30:00Z",
		"2024-07-15 13:30:00 +0100":     "2024-07-15T12:30:00Z",
		"Mon, 15 Jul 2024 13:30:00 GMT": "2024-07-15T13:30:00Z",
		"31/03/2024 01:30":              "2024-03-31T01:30:00Z", // An hour that there was not: the clock went on.
		"2 hours ago":                   unclear,
		"yesterday 14:30":               unclear,
		"14:30":                         unclear,
		"14:30 16/07":                   unclear,
		"15/07/2024 14:30 CET":          unclear,
		"15/07/2024 14:30 +99:00":       unclear,
		"Sun 15/07/2024 14:30":          unclear,
		"":                              unclear,
	} {
		at, ok := ParseMoment(written, zone)
		got := ""
		if ok {
			got = at.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q was read as %q, and means %q", written, got, want)
		}
	}
}
