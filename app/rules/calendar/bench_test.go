package calendar_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app/rules/calendar"
)

// BenchmarkDecode reads a busy person's calendar: 5,000 single events and 200 series.
func BenchmarkDecode(b *testing.B) {
	var lines []string
	for n := range 5000 {
		lines = append(lines, fmt.Sprintf("BEGIN:VEVENT\nUID:s%d\nSUMMARY:event %d\nDTSTART;TZID=Europe/London:2027%02d%02dT100000\nDURATION:PT1H\nDESCRIPTION:%s\nEND:VEVENT", n, n, 1+n%12, 1+n%28, strings.Repeat("x", 200)))
	}
	for n := range 200 {
		lines = append(lines, fmt.Sprintf("BEGIN:VEVENT\nUID:r%d\nDTSTART;TZID=Europe/London:2020%02d%02dT100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE\nEND:VEVENT", n, 1+n%12, 1+n%28))
	}
	data, options := file(strings.Join(lines, "\n")), year(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if busy, err := calendar.Decode(data, options); err != nil || len(busy.Bookings) < 5000 {
			b.Fatal(len(busy.Bookings), err)
		}
	}
}
