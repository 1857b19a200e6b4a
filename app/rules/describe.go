package rules

import (
	"strconv"
	"strings"

	"github.com/atozbot/atozbot/app"
)

// Describe tells the rules in plain sentences, in the order in which they are asked: what
// is accepted, what is not, and what is shown. A configuration that does not compile is
// told as far as it can be.
func Describe(c app.Configuration) []string {
	var d description
	d.say(c.Mode == app.ModeLive, "Jobs that fit are accepted on the portal.", "Jobs are looked at and decided; nothing is done on the portal.")
	d.types(c)
	d.words(c)
	d.lengths(c)
	d.times(c)
	d.limits(c)
	d.room(c)
	d.own(c)
	return d
}

type description []string

func (d *description) add(sentence string) { *d = append(*d, sentence) }

// say adds one sentence where a condition holds and another, unless it is empty, where it
// does not.
func (d *description) say(condition bool, yes, no string) {
	switch {
	case condition:
		d.add(yes)
	case no != "":
		d.add(no)
	}
}

func (d *description) types(c app.Configuration) {
	types := strings.FieldsFunc(c.JobTypeFilter, func(r rune) bool { return strings.ContainsRune(",;\r\n", r) })
	d.say(len(mended(types)) > 0, "Job types: "+either(types)+".", "Job types: any.")
	if len(c.ExcludeTypes) > 0 {
		d.say(c.RejectExcluded, "Never: "+either(c.ExcludeTypes)+"; such jobs are rejected on the portal.",
			"Never: "+either(c.ExcludeTypes)+"; such jobs are left alone.")
	}
	if c.RejectExcluded && c.MaxRejectPerRun > 0 {
		d.add("At most " + plural(c.MaxRejectPerRun, "rejection") + " a session.")
	}
	d.say(len(c.Languages) > 0, "Languages: "+either(c.Languages)+".", "Languages: any.")
}

func (d *description) words(c app.Configuration) {
	d.say(len(c.WordsWanted) > 0, "It has to say "+either(c.WordsWanted)+".", "")
	d.say(len(c.WordsUnwanted) > 0, "It must not say "+either(c.WordsUnwanted)+".", "")
}

func (d *description) lengths(c app.Configuration) {
	switch {
	case c.MinDuration > 0 && c.MaxDuration > 0:
		d.add("It lasts " + writeMinutes(c.MinDuration) + " to " + writeMinutes(c.MaxDuration) + ".")
	case c.MinDuration > 0:
		d.add("It lasts " + writeMinutes(c.MinDuration) + " at least.")
	case c.MaxDuration > 0:
		d.add("It lasts " + writeMinutes(c.MaxDuration) + " at most.")
	}
}

func (d *description) times(c app.Configuration) {
	d.say(c.MinNoticeMinutes > 0, "It begins in "+writeMinutes(c.MinNoticeMinutes)+" or later.", "It has not begun yet.")
	d.say(c.AllowShortNotice, "If the portal asks whether a job within 24 hours is meant, the answer is yes.",
		"If the portal asks whether a job within 24 hours is meant, the job is left to you.")
	hours, mistakes := parseWeeklyHours(c.WeeklyHours)
	if hours.set && len(mistakes) == 0 {
		d.add("It lies within your hours: " + hours.write() + ".")
	}
	off, _ := parseDaysOff(c.DaysOff)
	if len(off) > 0 {
		days := make([]string, len(off))
		for i, o := range off {
			days[i] = o.String()
		}
		d.add("Days off: " + strings.Join(days, ", ") + ".")
	}
	d.add("All times are those of " + c.TimeZone + ".")
}

func (d *description) limits(c app.Configuration) {
	limits := []string{plural(c.MaxAcceptPerRun, "job") + " a session"}
	if c.MaxPerDay > 0 {
		limits = append(limits, strconv.Itoa(c.MaxPerDay)+" a day")
	}
	if c.MaxPerWeek > 0 {
		limits = append(limits, strconv.Itoa(c.MaxPerWeek)+" a week")
	}
	if c.MaxHoursPerDay > 0 {
		limits = append(limits, writeMinutes(int(c.MaxHoursPerDay*60+0.5))+" of work a day")
	}
	d.add("At most " + enumerate(limits) + ".")
}

func (d *description) room(c app.Configuration) {
	d.say(c.AvoidOverlap, "It overlaps no other booking and no entry of your busy calendars.",
		"It may overlap other bookings, but no entry of your busy calendars.")
	if c.BufferBefore > 0 || c.BufferAfter > 0 {
		d.add("Kept free: " + writeMinutes(c.BufferBefore) + " before and " + writeMinutes(c.BufferAfter) + " after each booking.")
	}
	for _, b := range c.BuffersByType {
		d.add("For " + either([]string{b.Type}) + ": " + writeMinutes(b.Before) + " before and " + writeMinutes(b.After) + " after.")
	}
	switch c.Preference {
	case app.PreferLongest:
		d.add("Of several that exclude each other, the longest is taken.")
	case app.PreferSoonest:
		d.add("Of several that exclude each other, the one that takes place soonest is taken.")
	default:
		d.add("Of several that exclude each other, the first on the board is taken.")
	}
}

func (d *description) own(c app.Configuration) {
	if e := strings.TrimSpace(c.Expression); e != "" {
		d.add("Your expression holds: " + strings.Join(strings.Fields(e), " "))
	}
	d.say(len(c.AskTypes) > 0, "You are asked about "+either(c.AskTypes)+".", "")
	d.add("What cannot be read or understood is shown to you and never accepted.")
}

// either gives words in quotation marks with "or" before the last.
func either(words []string) string {
	words = mended(words)
	for i, w := range words {
		words[i] = "“" + w + "”"
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// mended gives the words that are not empty, white space mended.
func mended(words []string) []string {
	var full []string
	for _, w := range words {
		if w = strings.Join(strings.Fields(w), " "); w != "" {
			full = append(full, w)
		}
	}
	return full
}
