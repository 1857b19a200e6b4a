package portal

import "testing"

func TestATimeIsUnderstoodOrNotAndNeverGuessed(t *testing.T) {
	const unclear = ""
	for written, want := range map[string]string{
		"14:30":         "14:30",
		"09:05":         "09:05",
		"9:05":          "09:05",
		"00:00":         "00:00",
		"23:59":         "23:59",
		" 14:30\n":      "14:30",
		"14 : 30":       unclear,
		"14:30:00":      "14:30",
		"14:30:00.000":  "14:30",
		"14:30:15":      unclear,
		"14.30":         "14:30",
		"9.30":          "09:30",
		"1430":          "14:30",
		"1430 hrs":      "14:30",
		"14:30 hrs":     "14:30",
		"14:30h":        "14:30",
		"14h30":         "14:30",
		"2pm":           "14:00",
		"2 PM":          "14:00",
		"2:30 PM":       "14:30",
		"2:30pm":        "14:30",
		"2.30pm":        "14:30",
		"2:30 p.m.":     "14:30",
		"11:59 am":      "11:59",
		"02:30 AM":      "02:30",
		"12pm":          "12:00",
		"12:15 am":      "00:15",
		"12:15 pm":      "12:15",
		"14:30 PM":      "14:30", // Redundant, and no contradiction.
		"noon":          "12:00",
		"12 noon":       "12:00",
		"Midday":        "12:00",
		"midnight":      unclear, // Of which day?
		"12 midnight":   unclear,
		"24:00":         unclear,
		"14:30 am":      unclear,
		"0:30 pm":       unclear,
		"13 am":         unclear,
		"13pm":          unclear,
		"14":            unclear,
		"2":             unclear,
		"230":           unclear,
		"2:3":           unclear,
		"14:5":          unclear,
		"14:60":         unclear,
		"25:00":         unclear,
		"2560":          unclear,
		"14:30:61":      unclear,
		"14-30":         unclear,
		"2 o'clock":     unclear,
		"half past two": unclear,
		"14:30 GMT":     unclear,
		"14:30Z":        unclear,
		"14:30 - 15:30": unclear, // A stretch; see below.
		"2-3pm":         unclear,
		"from 14:30":    unclear,
		"14:30?":        unclear,
		"~14:30":        unclear,
		"TBC":           unclear,
		"":              unclear,
		"１４:３０":         unclear,
	} {
		at, ok := ParseTime(written)
		if ok != (want != unclear) || at != want {
			t.Errorf("%q was read as %q (%v), and means %q", written, at, ok, want)
		}
	}
}

func TestAnAppointmentsTimeMayBeAStretchOrHoldItsDate(t *testing.T) {
	const unclear = ""
	for _, c := range []struct {
		written, date string
		minutes       int
		want          string
	}{
		{"14:30", "2024-01-15", 30, "14:30"},
		{"14:30 - 15:00", "2024-01-15", 30, "14:30"},
		{"14:30–15:00", "2024-01-15", 30, "14:30"},
		{"14:30 to 15:00", "2024-01-15", 0, "14:30"},
		{"23:30 - 00:30", "2024-01-15", 60, "23:30"},
		{"2:30pm - 3:00pm", "2024-01-15", 30, "14:30"},
		{"14:30 - 15:00", "2024-01-15", 60, unclear}, // One of the two is wrong.
		{"2:30 - 3:00pm", "2024-01-15", 30, unclear},
		{"14:30 - 14:30", "2024-01-15", 0, unclear},
		{"14:30 -", "2024-01-15", 30, unclear},
		{"14:30 - late", "2024-01-15", 30, unclear},
		{"14:30 / 15:00", "2024-01-15", 30, unclear},
		{"15/01/2024 14:30", "2024-01-15", 30, "14:30"},
		{"2024-01-15 14:30:00", "2024-01-15", 30, "14:30"},
		{"2024-01-15T14:30:00", "2024-01-15", 30, "14:30"},
		{"16/01/2024 14:30", "2024-01-15", 30, unclear},
		{"15/01/2024 14:30", "", 30, unclear},
		{"2024-07-15T14:30:00Z", "2024-07-15", 30, unclear}, // In which zone is it meant?
		{"1970-01-01 14:30:00", "2024-01-15", 30, unclear},
	} {
		if got := appointmentTime(c.written, c.date, c.minutes); got != c.want {
			t.Errorf("%q on %q for %d minutes begins at %q, and should at %q", c.written, c.date, c.minutes, got, c.want)
		}
	}
}
