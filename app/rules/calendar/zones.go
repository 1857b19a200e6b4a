package calendar

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// zone is what a time without an offset is read in: a zone of the time zone database, or
// where nobody knows the zone, every offset that the file says it can have.
type zone struct {
	location *time.Location
	offsets  []time.Duration
}

// read gives the first and the last instant that a wall-clock time can mean; exact tells
// whether they are one.
func (z zone) read(wall time.Time) (first, last time.Time, exact bool) {
	if z.location == time.UTC {
		return wall, wall, true
	}
	if z.location != nil {
		r := wallclock.Read(z.location, wall)
		if r.Kind == wallclock.Never {
			// Section 3.3.5 reads it with the offset before the change, which is as far
			// behind the change as the time is behind where the gap begins; some programs
			// read it the other way. Both are busy.
			_, after := r.First.In(z.location).Zone()
			_, before := r.First.Add(-time.Second).In(z.location).Zone()
			return wall.Add(-time.Duration(after) * time.Second), wall.Add(-time.Duration(before) * time.Second), false
		}
		return r.First, r.Last, r.Kind == wallclock.Once
	}
	first, last = wall.Add(-z.offsets[0]), wall.Add(-z.offsets[0])
	for _, o := range z.offsets[1:] {
		t := wall.Add(-o)
		if t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	return first, last, first.Equal(last)
}

// zones finds the zones that a calendar names.
type zones struct {
	own     *time.Location
	defined map[string][]time.Duration // The offsets of the file's own definitions.
	alias   map[string]string          // X-LIC-LOCATION: what a definition is really called.
	known   map[string]zone
}

// define reads a line of a VTIMEZONE. Only its offsets are taken: the rules of when they
// change come from the time zone database, where the zone has a name that it knows.
func (z *zones) define(tzid, name string, line []byte) string {
	_, raw, _ := bytes.Cut(line, []byte(":"))
	value := strings.TrimSpace(string(raw))
	switch name {
	case "TZID":
		return value
	case "X-LIC-LOCATION":
		if z.alias == nil {
			z.alias = map[string]string{}
		}
		if tzid != "" {
			z.alias[tzid] = value
		}
	case "TZOFFSETFROM", "TZOFFSETTO":
		if o, ok := parseOffset(value); ok && tzid != "" && len(z.defined[tzid]) < 16 {
			z.defined[tzid] = append(z.defined[tzid], o)
		}
	}
	return tzid
}

// parseOffset reads "+0100" and "-053000" (section 3.3.14).
func parseOffset(s string) (time.Duration, bool) {
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	n, err := strconv.Atoi(s[1:])
	if err != nil || n < 0 {
		return 0, false
	}
	if len(s) == 5 {
		n *= 100
	}
	o := time.Duration(n/10000)*time.Hour + time.Duration(n/100%100)*time.Minute + time.Duration(n%100)*time.Second
	if o > 26*time.Hour {
		return 0, false
	}
	if s[0] == '-' {
		o = -o
	}
	return o, true
}

// find gives the zone of a TZID: by its name, by what its definition says it is called, by
// the name that Windows has for it, or else by the offsets of its definition.
func (z *zones) find(tzid string) (zone, bool) {
	if found, ok := z.known[tzid]; ok {
		return found, found.location != nil || found.offsets != nil
	}
	found, ok := z.seek(tzid)
	if len(z.known) < 1000 {
		z.known[tzid] = found
	}
	return found, ok
}

func (z *zones) seek(tzid string) (zone, bool) {
	for _, name := range []string{tzid, z.alias[tzid], windowsZone(tzid), windowsZone(z.alias[tzid]), afterPrefix(tzid)} {
		// LoadLocation takes "" for UTC and "Local" for this machine's.
		if name == "" || name == "Local" {
			continue
		}
		if location, err := time.LoadLocation(name); err == nil {
			return zone{location: location}, true
		}
	}
	if offsets := z.defined[tzid]; len(offsets) > 0 {
		return zone{offsets: offsets}, true
	}
	return zone{}, false
}

// afterPrefix takes away what some programs put before a name:
// "/citadel.org/20190914_1/Europe/London", "/freeassociation.sourceforge.net/Tzfile/Europe/London".
func afterPrefix(tzid string) string {
	if !strings.HasPrefix(tzid, "/") {
		return ""
	}
	parts := strings.Split(strings.Trim(tzid, "/"), "/")
	for i := range parts {
		switch parts[i] {
		case "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "Etc":
			return strings.Join(parts[i:], "/")
		}
	}
	return parts[len(parts)-1]
}
