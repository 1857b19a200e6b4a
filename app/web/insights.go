package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Insights counts what was recorded. A database that is away is CodeUnavailable.
type Insights interface {
	// Figures sums the jobs first seen in the stretch.
	Figures(ctx context.Context, since, until time.Time) (Figures, error)
	// Periods gives the 4-hour periods of the wall clock in the stretch, oldest first.
	Periods(ctx context.Context, since, until time.Time) ([]Period, error)
}

// Tally counts jobs by how far they came.
type Tally struct {
	Seen    int64
	Fitting int64 // The rules would have taken them, or asked.
	Tried   int64 // An act was posted, or tried: rejections too.
	Won     int64 // Accepted.

	Lost, Refused, Failed, Unknown, Rejected int64
}

// wanted counts the jobs whose acceptance was tried.
func (t Tally) wanted() int64 { return t.Won + t.Lost + t.Refused + t.Failed + t.Unknown }

// Share is the jobs that have one value in common: a language, an hour, a rule.
type Share struct {
	Value string
	Tally
}

// Figures are the sums of a stretch of time.
type Figures struct {
	All        Tally
	ByLanguage []Share // By the language's name.
	ByHour     []Share // By the appointment's hour on the portal's clock: "00" to "23".
	ByRule     []Share // Left alone, by the name of the rule that decided.
	ByReaction []Share // By the upper bound of the time from seen to posted, in ms; "slower" above all.
	// Reaction is the median from seen to posted; zero where nothing was posted.
	Reaction time.Duration
	Uptime   time.Duration // Of the bot, in the stretch.
	Booked   time.Duration // Length of the accepted appointments; zero where not known.
}

// Period is four hours on the wall clock.
type Period struct {
	From, To time.Time
	Tally
	Uptime   time.Duration
	Language string // The most common one; "" where there is none.
	PeakHour int    // The appointment hour with most jobs; -1 where there is none.
}

// insightsPage shows where the jobs went.
type insightsPage struct {
	Spans     []span
	Figures   []figure
	Funnel    []barLine
	LostAt    []barLine
	Languages []barLine
	Hours     columns
	DayParts  []barLine
	Reactions []barLine
	Periods   columns
	Rows      []periodRow
	Empty     bool
	Days      int
}

// span is a stretch of time to choose.
type span struct {
	Label, To string
	On        bool
}

// figure is one number with its name.
type figure struct{ Name, Value, Note string }

// barLine is one line of a table whose last cell is drawn as well.
type barLine struct {
	Name   string
	Count  int64
	Share  string  // "37 %", of what the chart compares with.
	Wide   float64 // The bar, of a hundred.
	Inner  float64 // A part of it drawn darker, of a hundred.
	Detail string
	To     string // Where the jobs behind it are listed; "" where nowhere.
}

// InnerWide is the darker part, of the hundred of the whole field.
func (l barLine) InnerWide() float64 { return l.Wide * l.Inner / 100 }

// periodRow is a period in words.
type periodRow struct {
	Title, Language, Peak, Uptime, Rate string
	Tally
}

// spans are the stretches that can be chosen, in days.
func spanDays() []int { return []int{1, 7, 30, 90, 365} }

func (s *Site) insights(v *visit) (*view, error) {
	if s.Insights == nil {
		return notBuilt(v), nil
	}
	days := 7
	if n, err := strconv.Atoi(v.r.URL.Query().Get("days")); err == nil && slices.Contains(spanDays(), n) {
		days = n
	}
	now := s.Now()
	since := midnight(now.In(v.voice.zone)).AddDate(0, 0, 1-days)
	f, err := s.Insights.Figures(v.r.Context(), since, now)
	if err != nil {
		return nil, err
	}
	periodsSince := since
	if days > 7 {
		periodsSince = midnight(now.In(v.voice.zone)).AddDate(0, 0, -6) // More would be a carpet.
	}
	periods, err := s.Insights.Periods(v.r.Context(), periodsSince, now)
	if err != nil {
		return nil, err
	}
	from := since.Format(time.DateOnly)
	p := &insightsPage{
		Days: days, Empty: f.All.Seen == 0, Figures: v.figures(f), Funnel: v.funnel(f.All), LostAt: v.lostAt(f, from),
		Languages: v.languageBars(f.ByLanguage, from), Hours: v.hourColumns(f.ByHour), DayParts: v.dayParts(f.ByHour),
		Reactions: v.reactionBars(f.ByReaction), Periods: v.periodColumns(periods), Rows: v.periodRows(periods),
	}
	for _, n := range spanDays() {
		p.Spans = append(p.Spans, span{Label: v.voice.say("insights.days", "count", n), To: "/insights?days=" + strconv.Itoa(n), On: n == days})
	}
	return &view{page: "insights", title: v.voice.say("nav.insights"), nav: "insights", data: p}, nil
}

// figures are the numbers at the top.
func (v *visit) figures(f Figures) []figure {
	peak, most := "–", int64(0)
	for _, h := range f.ByHour {
		if h.Seen > most {
			peak, most = h.Value+":00", h.Seen
		}
	}
	language, most := "–", int64(0)
	for _, l := range f.ByLanguage {
		if l.Seen > most {
			language, most = orElse(l.Value, v.voice.say("job.noLanguage")), l.Seen
		}
	}
	reaction := "–"
	if f.Reaction > 0 {
		reaction = v.voice.took(f.Reaction)
	}
	all := []figure{
		{v.voice.say("insights.figure.rate"), v.voice.percent(f.All.Won, f.All.Seen), v.voice.say("insights.figure.rateNote")},
		{v.voice.say("insights.figure.won"), v.voice.percent(f.All.Won, f.All.wanted()), v.voice.say("insights.figure.wonNote")},
		{v.voice.say("insights.figure.reaction"), reaction, v.voice.say("insights.figure.reactionNote")},
		{v.voice.say("insights.figure.peak"), peak, v.voice.say("insights.figure.peakNote")},
		{v.voice.say("insights.figure.language"), language, v.voice.say("insights.figure.languageNote")},
		{v.voice.say("insights.figure.uptime"), v.voice.took(f.Uptime), v.voice.say("insights.figure.uptimeNote")},
	}
	if f.Uptime >= time.Hour {
		all = append(all, figure{v.voice.say("insights.figure.pace"), v.voice.decimal(float64(f.All.Won) / f.Uptime.Hours()), v.voice.say("insights.figure.paceNote")})
	}
	if f.Booked > 0 {
		all = append(all, figure{v.voice.say("insights.figure.booked"), v.voice.length(int(f.Booked / time.Minute)), v.voice.say("insights.figure.bookedNote")})
	}
	return all
}

// funnel tells how many jobs came how far; each bar is measured against all seen.
func (v *visit) funnel(t Tally) []barLine {
	steps := []struct {
		key string
		n   int64
	}{{"seen", t.Seen}, {"fitting", t.Fitting}, {"tried", t.wanted()}, {"won", t.Won}}
	lines := make([]barLine, len(steps))
	before := t.Seen
	for i, step := range steps {
		lines[i] = barLine{Name: v.voice.say("insights.funnel." + step.key), Count: step.n, Wide: share(step.n, t.Seen), Share: v.voice.percent(step.n, before)}
		before = step.n
	}
	lines[0].Share = ""
	return lines
}

// lostAt tells where jobs were lost: left alone by which rule, lost to whom.
func (v *visit) lostAt(f Figures, from string) []barLine {
	var lines []barLine
	add := func(name, to string, n int64) {
		if n > 0 {
			lines = append(lines, barLine{Name: name, Count: n, To: to, Share: v.voice.percent(n, f.All.Seen)})
		}
	}
	kind := func(k JobKind) string { return "/activity?kind=" + string(k) + "&since=" + from }
	for _, r := range f.ByRule {
		add(v.ruleName(r.Value), kind(KindLeft), r.Seen)
	}
	add(v.voice.say("job.lost"), kind(KindLost), f.All.Lost)
	add(v.voice.say("job.refused"), kind(KindFailed), f.All.Refused)
	add(v.voice.say("job.failed"), kind(KindFailed), f.All.Failed)
	add(v.voice.say("job.unknown"), kind(KindFailed), f.All.Unknown)
	add(v.voice.say("job.rejected"), kind(KindRejected), f.All.Rejected)
	slices.SortStableFunc(lines, func(a, b barLine) int { return cmp.Compare(b.Count, a.Count) })
	return widest(lines)
}

// languageBars compares languages: seen, and accepted of those.
func (v *visit) languageBars(shares []Share, from string) []barLine {
	shares = slices.Clone(shares)
	slices.SortStableFunc(shares, func(a, b Share) int { return int(b.Seen - a.Seen) })
	const most = 12
	var lines []barLine
	for i, l := range shares {
		if i == most {
			break
		}
		line := barLine{
			Name: orElse(l.Value, v.voice.say("job.noLanguage")), Count: l.Seen, Inner: share(l.Won, l.Seen),
			Detail: v.voice.say("insights.accepted", "count", l.Won), Share: v.voice.percent(l.Won, l.Seen),
		}
		if l.Value != "" {
			line.To = activityFilter{Language: l.Value, Since: from}.at("", "")
		}
		lines = append(lines, line)
	}
	return widest(lines)
}

// reactionBars compares the win rate by how fast the acceptance was posted.
func (v *visit) reactionBars(shares []Share) []barLine {
	shares = slices.Clone(shares)
	slices.SortStableFunc(shares, func(a, b Share) int { return reactionBound(a.Value) - reactionBound(b.Value) })
	var lines []barLine
	for _, r := range shares {
		tried := r.wanted()
		if tried == 0 {
			continue
		}
		name := v.voice.say("insights.slower")
		if bound := reactionBound(r.Value); bound < slower {
			name = v.voice.say("insights.within", "n", v.voice.took(time.Duration(bound)*time.Millisecond))
		}
		lines = append(lines, barLine{
			Name: name, Count: tried, Wide: share(r.Won, tried), Share: v.voice.percent(r.Won, tried),
			Detail: v.voice.say("insights.wonOf", "won", v.voice.number(r.Won), "tried", v.voice.number(tried)),
		})
	}
	return lines
}

// slower sorts what is slower than every bound behind them.
const slower = 1 << 30

func reactionBound(value string) int {
	n, err := strconv.Atoi(strings.TrimLeft(value, "0"))
	if err != nil {
		return slower
	}
	return n
}

// dayParts sums the appointment hours: morning 6 to 12, afternoon to 17, evening to 22,
// night else, as the predecessor did.
func (v *visit) dayParts(hours []Share) []barLine {
	names := []string{"morning", "afternoon", "evening", "night"}
	sums := make([]Tally, len(names))
	for _, h := range hours {
		hour, err := strconv.Atoi(h.Value)
		if err != nil {
			continue
		}
		part := 3
		switch {
		case hour >= 6 && hour < 12:
			part = 0
		case hour >= 12 && hour < 17:
			part = 1
		case hour >= 17 && hour < 22:
			part = 2
		}
		sums[part].Seen += h.Seen
		sums[part].Won += h.Won
	}
	lines := make([]barLine, len(names))
	for i, name := range names {
		lines[i] = barLine{
			Name: v.voice.say("insights.part." + name), Count: sums[i].Seen, Inner: share(sums[i].Won, sums[i].Seen),
			Detail: v.voice.say("insights.accepted", "count", sums[i].Won), Share: v.voice.percent(sums[i].Won, sums[i].Seen),
		}
	}
	return widest(lines)
}

func (v *visit) periodRows(periods []Period) []periodRow {
	rows := make([]periodRow, 0, len(periods))
	for _, p := range slices.Backward(periods) {
		row := periodRow{
			Title: v.periodTitle(p), Language: p.Language, Uptime: v.voice.took(p.Uptime), Tally: p.Tally,
			Rate: v.voice.percent(p.Won, p.Seen), Peak: "–",
		}
		if p.PeakHour >= 0 && p.Seen > 0 {
			row.Peak = fmt.Sprintf("%02d:00", p.PeakHour)
		}
		rows = append(rows, row)
	}
	return rows
}

func (v *visit) periodTitle(p Period) string {
	return v.voice.date(p.From) + " " + v.voice.span(p.From, p.To)
}

// widest makes every bar's width relative to the longest.
func widest(lines []barLine) []barLine {
	var most int64
	for _, l := range lines {
		most = max(most, l.Count)
	}
	for i := range lines {
		lines[i].Wide = share(lines[i].Count, most)
	}
	return lines
}

// share gives a part of a whole, of a hundred.
func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(100*float64(part)/float64(whole), 100)
}

// notBuilt is the page for a part of the house that is not there.
func notBuilt(v *visit) *view {
	return errorView(v, statusOf(app.CodeNotFound), "error.notBuilt")
}
