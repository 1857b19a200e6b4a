package daemon

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
)

// webInsights are the figures as the pages ask for them.
type webInsights struct {
	db      *store.Store
	account string
}

// Figures sums the jobs first seen in the stretch.
func (w webInsights) Figures(ctx context.Context, since, until time.Time) (web.Figures, error) {
	f, err := w.db.Analytics(ctx, store.Span{From: since, To: until})
	if err != nil {
		return web.Figures{}, err
	}
	v := web.Figures{
		All: tallyOf(f.Counts), ByLanguage: sharesOf(f.Languages), ByRule: sharesOf(f.Rules), ByReaction: sharesOf(f.Reactions), Uptime: f.Uptime,
	}
	for i, share := range v.ByReaction {
		if share.Value == "" {
			v.ByReaction[i].Value = "slower"
		}
	}
	for hour, counts := range f.Hours {
		if counts.Jobs > 0 {
			v.ByHour = append(v.ByHour, web.Share{Value: twoDigits(hour), Tally: tallyOf(counts)})
		}
	}
	if median := medianReaction(f.Reactions); median != nil {
		v.Reaction = time.Duration(*median * float64(time.Millisecond))
	}
	return v, nil
}

func twoDigits(hour int) string {
	if hour < 10 {
		return "0" + strconv.Itoa(hour)
	}
	return strconv.Itoa(hour)
}

func tallyOf(c store.Counts) web.Tally {
	return web.Tally{
		Seen: c.Jobs, Fitting: c.Fitting, Tried: c.Tried, Won: c.Accepted,
		Lost: c.Lost, Refused: c.Refused, Failed: c.Failed, Unknown: c.Unknown, Rejected: c.Rejected,
	}
}

func sharesOf(named []store.Named) []web.Share {
	shares := make([]web.Share, len(named))
	for i, n := range named {
		shares[i] = web.Share{Value: n.Value, Tally: tallyOf(n.Counts)}
	}
	return shares
}

// Periods gives the 4-hour periods in the stretch, oldest first.
func (w webInsights) Periods(ctx context.Context, since, until time.Time) ([]web.Period, error) {
	var periods []web.Period
	window := store.Window{Limit: 1000}
	for {
		page, err := w.db.Periods(ctx, window)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Items {
			if !p.End.After(since) {
				slices.Reverse(periods)
				return periods, nil
			}
			if p.Start.Before(until) {
				periods = append(periods, web.Period{
					From: p.Start, To: p.End, Tally: web.Tally{Seen: p.Jobs, Won: p.Accepted, Rejected: p.Rejected},
					Uptime: p.Uptime, Language: p.MostCommonLanguage, PeakHour: p.PeakHour,
				})
			}
		}
		if page.Next == "" {
			slices.Reverse(periods)
			return periods, nil
		}
		window.Cursor = page.Next
	}
}

// webLog is the log as the pages show it.
type webLog struct{ db *store.Store }

// Entries gives one page, newest first.
func (w webLog) Entries(ctx context.Context, f web.LogFilter) (web.LogPage, error) {
	page, err := w.db.Logs(ctx, store.LogFilter{Levels: levelsFrom(f.Level), Query: f.Query, Window: store.Window{Limit: f.Limit, Cursor: f.Cursor}})
	return web.LogPage{Entries: page.Items, Next: page.Next}, err
}

// levelsFrom gives the levels from one on.
func levelsFrom(least string) []string {
	levels := []string{"DEBUG", "INFO", "WARNING", "ERROR"}
	for i, level := range levels {
		if level == least {
			return levels[i:]
		}
	}
	return nil
}
