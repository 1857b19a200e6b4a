package api

import (
	"time"

	"github.com/atozbot/atozbot/app"
)

// JobDetailJSON is one job with everything that is known of it.
type JobDetailJSON struct {
	JobJSON
	Row      []string      `json:"row" doc:"The cells as they were on the board." example:"[\"48213/A\",\"20/01/2027\",\"31/01/2027\",\"14:30\",\"1 hour\",\"Polish\",\"Matched\"]"`
	Decision *DecisionJSON `json:"decision" doc:"Null where none is recorded: jobs that came from elsewhere have none."`
	Timeline TimelineJSON  `json:"timeline"`
	Claims   []ClaimJSON   `json:"claims" doc:"What was tried on the portal."`
}

// DecisionJSON is what the rules made of the job, and why.
type DecisionJSON struct {
	Verdict      app.Verdict `json:"verdict" enum:"accept,ask,leave,reject" example:"leave"`
	Reason       string      `json:"reason" doc:"The sentence of the rule that decided." example:"Overlaps 48210/A, Polish."`
	Rule         *string     `json:"rule" doc:"The rule that decided; null for an acceptance." example:"overlap"`
	RulesVersion int64       `json:"rules_version" example:"7"`
	DecidedAt    *time.Time  `json:"decided_at"`
	Repeats      int64       `json:"repeats" doc:"How often the same was decided again." example:"12"`
	Rules        []RuleJSON  `json:"rules" doc:"Every rule, in the order in which it was asked."`
}

// RuleJSON is one rule's answer and the value it saw.
type RuleJSON struct {
	Rule   string   `json:"rule" example:"job_type"`
	Held   app.Held `json:"held" enum:"held,did not hold,not known" example:"held"`
	Saw    string   `json:"saw" doc:"The value that it looked at." example:"Telephone interpreting"`
	Wanted string   `json:"wanted" doc:"What it wanted." example:"Telephone interpreting"`
	Reason string   `json:"reason" example:"The job type is one of those accepted."`
}

// TimelineJSON says when what happened, in milliseconds from the moment the job was
// first seen. Null where it did not happen.
type TimelineJSON struct {
	SeenAt      *time.Time `json:"seen_at" doc:"The moment that the others are counted from." example:"2027-01-20T09:00:02.120Z"`
	ListedMS    *float64   `json:"listed_ms" doc:"When the portal listed it, where that is known; before it was seen, so not above 0." example:"-96"`
	SeenMS      *float64   `json:"seen_ms" example:"0"`
	DecidedMS   *float64   `json:"decided_ms" example:"1.2"`
	ClaimedMS   *float64   `json:"claimed_ms" example:"3.9"`
	PostedMS    *float64   `json:"posted_ms" doc:"When the form was on its way." example:"4.4"`
	ConfirmedMS *float64   `json:"confirmed_ms" doc:"When a look at the portal had shown what became of it." example:"41.8"`
}

// ClaimJSON is the right to act on the job once, and what became of it.
type ClaimJSON struct {
	ID        string      `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	Act       app.Act     `json:"act" enum:"accept,reject" example:"accept"`
	Attempt   int         `json:"attempt" doc:"1 for the first try." example:"1"`
	ClaimedAt *time.Time  `json:"claimed_at"`
	PostedAt  *time.Time  `json:"posted_at" doc:"Of the newest try; null where nothing was posted."`
	Outcome   app.Outcome `json:"outcome" enum:",accepted,rejected,lost,refused,failed,unknown" doc:"Empty while nothing is known." example:"accepted"`
	OutcomeAt *time.Time  `json:"outcome_at"`
	Detail    string      `json:"detail" doc:"The outcome's reason." example:"The board shows it as allocated."`
}

func jobDetailJSON(t JobTrace) JobDetailJSON {
	d := JobDetailJSON{
		JobJSON:  jobJSON(t.Job),
		Row:      each(t.Job.Row, func(cell string) string { return cell }),
		Timeline: timelineJSON(t.Job),
		Claims:   each(t.Claims, claimJSON),
	}
	if t.Decision != nil {
		d.Decision = decisionJSON(*t.Decision)
	}
	return d
}

func decisionJSON(d app.Decision) *DecisionJSON {
	return &DecisionJSON{
		Verdict:      d.Verdict,
		Reason:       d.Reason,
		Rule:         text(d.Rule),
		RulesVersion: d.RulesVersion,
		DecidedAt:    moment(d.DecidedAt),
		Repeats:      d.Repeats,
		Rules: each(d.Checks, func(c app.Check) RuleJSON {
			return RuleJSON{Rule: c.Rule, Held: c.Held, Saw: c.Saw, Wanted: c.Wanted, Reason: c.Reason}
		}),
	}
}

func claimJSON(c app.Claim) ClaimJSON {
	return ClaimJSON{
		ID:        c.ID,
		Act:       c.Act,
		Attempt:   c.Attempt,
		ClaimedAt: moment(c.ClaimedAt),
		PostedAt:  moment(c.PostedAt),
		Outcome:   c.Outcome,
		OutcomeAt: moment(c.OutcomeAt),
		Detail:    c.Detail,
	}
}

func timelineJSON(j app.JobRecord) TimelineJSON {
	from := func(t time.Time) *float64 {
		if t.IsZero() || j.SeenAt.IsZero() {
			return nil
		}
		ms := float64(t.Sub(j.SeenAt).Microseconds()) / 1000
		return &ms
	}
	return TimelineJSON{
		SeenAt:      moment(j.SeenAt),
		ListedMS:    from(j.ListedAt),
		SeenMS:      from(j.SeenAt),
		DecidedMS:   from(j.DecidedAt),
		ClaimedMS:   from(j.ClaimedAt),
		PostedMS:    from(j.PostedAt),
		ConfirmedMS: from(j.ConfirmedAt),
	}
}
