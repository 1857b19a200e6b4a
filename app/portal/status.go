package portal

import "github.com/atozbot/atozbot/app"

// state says what a status means. It is read word by word ("Unmatched" is not "matched"),
// and where it could mean two things the one that keeps our hands off wins:
//
//   - a word that it is gone goes before one that it is ours, and that before "matched";
//   - a negation ("not", "pending", "to be") leaves nothing certain;
//   - what is matched or booked with somebody else is gone.
func (p *Profile) state(text string) app.JobState {
	said := plain(text)
	ours, matched := p.status.ours.in(said) != "", p.status.matched.in(said) != ""
	for _, w := range p.status.gone {
		// "no longer" has a negation in it, and means what it says.
		if p.status.negated.in(w.plain) != "" && (words{w}).in(said) != "" {
			return app.StateGone
		}
	}
	switch {
	case p.status.negated.in(said) != "":
		return app.StateOther
	case p.status.gone.in(said) != "":
		return app.StateGone
	case (ours || matched) && p.status.others.in(said) != "":
		return app.StateGone
	case p.status.other.in(said) != "":
		return app.StateOther
	case ours:
		return app.StateOurs
	case matched:
		return app.StateMatched
	}
	return app.StateOther
}
