package rules

import (
	"cmp"
	"slices"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Prefer gives the order in which the jobs of one look are taken, which is what decides
// between jobs that exclude each other. The jobs come as the board lists them; where the
// preference is level, that order stays. Jobs whose duration or start is not known come
// last where it matters. The slice given is not changed.
func (s *Set) Prefer(jobs []app.Job) []app.Job {
	ordered := slices.Clone(jobs)
	switch s.preference {
	case app.PreferListed:
	case app.PreferLongest:
		slices.SortStableFunc(ordered, func(a, b app.Job) int {
			return cmp.Compare(b.DurationMinutes, a.DurationMinutes) // 0, not known, is the least.
		})
	case app.PreferSoonest:
		starts := make(map[*app.Job]time.Time, len(jobs))
		order := make([]*app.Job, len(jobs))
		for i := range jobs {
			order[i] = &jobs[i]
			if start, _, ok := s.ResolveAppointment(jobs[i]); ok {
				starts[order[i]] = start
			}
		}
		slices.SortStableFunc(order, func(a, b *app.Job) int {
			from, aKnown := starts[a]
			to, bKnown := starts[b]
			switch {
			case aKnown && bKnown:
				return from.Compare(to)
			case aKnown:
				return -1
			case bKnown:
				return 1
			default:
				return 0
			}
		})
		for i, j := range order {
			ordered[i] = *j
		}
	}
	return ordered
}
