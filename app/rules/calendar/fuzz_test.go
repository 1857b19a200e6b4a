package calendar_test

import (
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/calendar"
)

// FuzzDecode holds of any bytes: no panic, an answer soon, an error that can be shown, and
// bookings that touch the stretch and are in order.
func FuzzDecode(f *testing.F) {
	for _, lines := range []string{
		"DTSTART:20270114T143000Z\nDTEND:20270114T153000Z",
		"DTSTART;TZID=Europe/London:20270114T143000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20270601T000000Z\nEXDATE:20270120T143000Z",
		"DTSTART;VALUE=DATE:16040302\nRRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2",
		"DTSTART:20270114T143000\nDURATION:P1DT2H\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1;COUNT=5\nRDATE;VALUE=PERIOD:20270120T140000Z/PT1H",
		"DTSTART:20270114T143000Z\nDURATION:PT1M\nRRULE:FREQ=SECONDLY;INTERVAL=7",
		"DTSTART:20270114T143000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY;UNTIL=20270115T000000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20270114T143000Z",
	} {
		f.Add(event(lines))
	}
	f.Add(file("BEGIN:VTIMEZONE\nTZID:X\nX-LIC-LOCATION:Europe/Vienna\nBEGIN:STANDARD\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nDTSTART;TZID=X:20270114T143000\nDURATION:PT1H\nEND:VEVENT"))
	f.Add(file("BEGIN:VFREEBUSY\nFREEBUSY;FBTYPE=BUSY:20270114T143000Z/PT1H,20270115T143000Z/20270115T153000Z\nEND:VFREEBUSY"))
	london := location(f, "Europe/London")
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		o := calendar.Options{Name: "x", Zone: london, From: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2027, 7, 1, 0, 0, 0, 0, time.UTC)}
		started := time.Now()
		busy, err := calendar.Decode(data, o)
		if took := time.Since(started); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		if err != nil {
			if app.CodeOf(err) != app.CodeInvalid || len(busy.Bookings) > 0 {
				t.Errorf("error %v with %d bookings", err, len(busy.Bookings))
			}
			return
		}
		for i, b := range busy.Bookings {
			if !b.EndsAt.After(o.From) || !b.StartsAt.Before(o.To) || !b.StartsAt.Before(b.EndsAt) || b.Firm {
				t.Errorf("booking %+v", b)
			}
			if i > 0 && b.StartsAt.Before(busy.Bookings[i-1].StartsAt) {
				t.Errorf("booking %d comes before the one before it", i)
			}
		}
	})
}

// FuzzEncode holds that no text of a portal can break the lines of the feed.
func FuzzEncode(f *testing.F) {
	f.Add("Polish", "Telephone interpreting", "48213/A")
	f.Add("a\r\nBEGIN:VEVENT", "\\,;:", "😀")
	f.Fuzz(func(t *testing.T, language, jobType, ref string) {
		j := acceptedJob()
		j.Language, j.JobType, j.Ref = language, jobType, ref
		checkFeed(t, calendar.Encode([]app.JobRecord{j}, feedOptions()))
	})
}
