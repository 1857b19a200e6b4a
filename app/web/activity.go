package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// activityShown is how many jobs one page of Activity shows.
const activityShown = 40

// activityPage is every job seen, newest first.
type activityPage struct {
	Filter  activityFilter
	Chips   []chip
	Days    []jobDay
	Older   string // The link to the page after; "" where there is none.
	Newest  string // The link back to the first page; "" on it.
	Export  []link
	Clear   string // The link without any filter; "" where there is none.
	Choices []string
	Self    string
}

// activityFilter is the filter as it stands in the address.
type activityFilter struct {
	Kind                   JobKind
	Query, Language        string
	Since, Until, Cursor   string
	sinceTime, untilBefore time.Time
}

// chip is a kind with its count.
type chip struct {
	Label, Icon, To string
	Count           int64
	On              bool
}

// link is a name and where it leads.
type link struct{ Label, To string }

// jobDay is the jobs of one day, by when they were seen.
type jobDay struct {
	Title string
	Jobs  []jobLine
}

func (s *Site) activity(v *visit) (*view, error) {
	f := newActivityFilter(v.r.URL.Query(), v.voice.zone)
	filter := f.jobs()
	page, err := s.Jobs.Jobs(v.r.Context(), filter)
	if err != nil {
		return nil, err
	}
	counts, err := s.counts(v, filter, page)
	if err != nil {
		return nil, err
	}
	languages, err := s.Jobs.Languages(v.r.Context())
	if err != nil {
		return nil, err
	}
	if f.Language != "" && !slices.Contains(languages, f.Language) {
		languages = append(languages, f.Language)
	}
	p := &activityPage{Filter: f, Chips: chips(v.voice, f, counts), Choices: languages, Self: f.at("", "")}
	for _, job := range page.Jobs {
		title := v.voice.day(job.SeenAt)
		if n := len(p.Days); n == 0 || p.Days[n-1].Title != title {
			p.Days = append(p.Days, jobDay{Title: title})
		}
		day := &p.Days[len(p.Days)-1]
		day.Jobs = append(day.Jobs, v.jobLine(job))
	}
	if page.Next != "" {
		p.Older = f.at("cursor", page.Next)
	}
	if f.Cursor != "" {
		p.Newest = f.at("", "")
	}
	if f.filters() {
		p.Clear = "/activity"
	}
	p.Export = f.exports(v.voice)
	return &view{page: "activity", title: v.voice.say("nav.activity"), nav: "activity", live: true, data: p}, nil
}

// counts counts what the filter leaves, by kind. Where all of it is on the page already it
// is not asked for again: a search for one job has then looked through the records once.
func (s *Site) counts(v *visit, f JobFilter, page JobPage) (JobCounts, error) {
	if f.Kind != KindAny || f.Cursor != "" || page.Next != "" {
		return s.Jobs.Counts(v.r.Context(), f)
	}
	var c JobCounts
	for _, job := range page.Jobs {
		c.add(job)
	}
	return c, nil
}

// add counts one job.
func (c *JobCounts) add(job app.JobRecord) {
	c.All++
	switch job.Status {
	case app.JobAccepted:
		c.Accepted++
	case app.JobLost:
		c.Lost++
	case app.JobRejected:
		c.Rejected++
	case app.JobMatched:
		if asking(job) {
			c.Ask++
		} else {
			c.Left++
		}
	case app.JobRefused, app.JobFailed, app.JobUnknown:
		c.Failed++
	}
}

// newActivityFilter reads the filter from the address. What cannot be read is left out:
// an address is a thing that people mend by hand.
func newActivityFilter(q url.Values, zone *time.Location) activityFilter {
	f := activityFilter{
		Kind: JobKind(q.Get("kind")), Query: strings.TrimSpace(q.Get("q")), Language: q.Get("language"),
		Since: q.Get("since"), Until: q.Get("until"), Cursor: q.Get("cursor"),
	}
	if _, ok := chipOf(f.Kind); !ok {
		f.Kind = KindAny
	}
	f.Query, f.Language = shortened(f.Query, 200), shortened(f.Language, 100)
	var err error
	if f.sinceTime, err = time.ParseInLocation(time.DateOnly, f.Since, zone); err != nil {
		f.Since, f.sinceTime = "", time.Time{}
	}
	if f.untilBefore, err = time.ParseInLocation(time.DateOnly, f.Until, zone); err != nil {
		f.Until, f.untilBefore = "", time.Time{}
	} else {
		f.untilBefore = f.untilBefore.AddDate(0, 0, 1) // The whole of that day.
	}
	return f
}

func (f activityFilter) jobs() JobFilter {
	return JobFilter{
		Kind: f.Kind, Query: f.Query, Language: f.Language, Since: f.sinceTime, Until: f.untilBefore,
		Cursor: f.Cursor, Limit: activityShown,
	}
}

func (f activityFilter) filters() bool {
	return f.Kind != KindAny || f.Query != "" || f.Language != "" || f.Since != "" || f.Until != ""
}

// More tells whether one of the filters behind the fold is set.
func (f activityFilter) More() bool { return f.Language != "" || f.Since != "" || f.Until != "" }

// values gives the filter as it stands in an address.
func (f activityFilter) values() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"kind": string(f.Kind), "q": f.Query, "language": f.Language, "since": f.Since, "until": f.Until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// at gives the address of this filter with one value changed.
func (f activityFilter) at(name, value string) string {
	q := f.values()
	if name != "" {
		q.Set(name, value)
		if value == "" {
			q.Del(name)
		}
	}
	if len(q) == 0 {
		return "/activity"
	}
	return "/activity?" + q.Encode()
}

// exports gives the links that download what the filter leaves, from the API.
func (f activityFilter) exports(v *voice) []link {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Query, "language": f.Language} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c, ok := chipOf(f.Kind); ok && c.status != "" {
		q.Set("status", c.status)
	}
	if !f.sinceTime.IsZero() {
		q.Set("since", f.sinceTime.UTC().Format(time.RFC3339))
	}
	if !f.untilBefore.IsZero() {
		q.Set("until", f.untilBefore.UTC().Format(time.RFC3339))
	}
	var all []link
	for _, format := range []string{"csv", "json"} {
		q.Set("format", format)
		all = append(all, link{v.say("activity.export." + format), "/api/bot/jobs/export?" + q.Encode()})
	}
	return all
}

// chipKind is a kind as a chip: its symbol, its count, and the API's status for it.
type chipKind struct {
	kind         JobKind
	icon, status string
	count        func(JobCounts) int64
}

func chipKinds() []chipKind {
	return []chipKind{
		{KindAny, "list", "", func(c JobCounts) int64 { return c.All }},
		{KindAsk, "question", "", func(c JobCounts) int64 { return c.Ask }},
		{KindAccepted, "check", "accepted", func(c JobCounts) int64 { return c.Accepted }},
		{KindLost, "flag", "lost", func(c JobCounts) int64 { return c.Lost }},
		{KindLeft, "minus", "matched", func(c JobCounts) int64 { return c.Left }},
		{KindRejected, "cross", "rejected", func(c JobCounts) int64 { return c.Rejected }},
		{KindFailed, "alert", "", func(c JobCounts) int64 { return c.Failed }},
	}
}

func chipOf(kind JobKind) (chipKind, bool) {
	for _, c := range chipKinds() {
		if c.kind == kind {
			return c, true
		}
	}
	return chipKind{}, false
}

// chips gives every kind with its count; the one for answers only where there is one.
func chips(v *voice, f activityFilter, counts JobCounts) []chip {
	var all []chip
	for _, c := range chipKinds() {
		n := c.count(counts)
		if c.kind == KindAsk && n == 0 && f.Kind != KindAsk {
			continue
		}
		name := string(c.kind)
		if c.kind == KindAny {
			name = "any"
		}
		all = append(all, chip{
			Label: v.say("activity.kind." + name), Icon: c.icon, Count: n,
			On: f.Kind == c.kind, To: f.at("kind", string(c.kind)),
		})
	}
	return all
}
