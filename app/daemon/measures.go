package daemon

import (
	"time"

	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/bot"
	"github.com/atozbot/atozbot/app/health"
)

// Measure gives the figures of the house for /metrics. It only looks at memory.
func (h *house) Measure() []api.Measurement {
	s := h.desk.bot().Status()
	all := []api.Measurement{
		gauge("atozbot_journal_waiting", "Steps that wait to be stored in the database.", float64(h.journaled())),
	}
	for _, state := range []*health.State{h.database.State(), h.redis.State()} {
		all = append(all, dependency(state.Name, state.Usable(), state.Retries)...)
	}
	if portal := portalStatus(s); portal.Status == health.StatusHealthy || portal.Status == health.StatusUnhealthy {
		all = append(all, dependency("portal", portal.Status == health.StatusHealthy, portal.Retries)...)
	}
	if h.journal != nil {
		j := h.journal.JournalState()
		all = append(all, dependency("journal", j.Broken.Reason == "", 0)...)
		all = append(all, gauge("atozbot_journal_parked", "Steps that the database refused for what they hold, and that are kept.", float64(j.Parked)))
	}
	all = append(all, botFigures(s, time.Now())...)
	return append(all, h.figures.measure()...)
}

// dependency is the state of one thing that the program stands on. The portal's is only
// known while a session asks it.
func dependency(name string, up bool, retries int) []api.Measurement {
	labels := map[string]string{"dependency": name}
	return []api.Measurement{
		{Name: "atozbot_dependency_up", Help: "Whether a dependency can be used; the portal's is there while a session runs.", Labels: labels, Value: truthOf(up)},
		{Name: "atozbot_dependency_retries", Help: "Failed tries since a dependency was last good.", Labels: labels, Value: float64(retries)},
	}
}

func botFigures(s bot.Status, now time.Time) []api.Measurement {
	backOff := 0.0
	if s.BackOffUntil.After(now) {
		backOff = s.BackOffUntil.Sub(now).Seconds()
	}
	seen := 0.0
	if !s.LastBoard.IsZero() {
		seen = float64(s.LastBoard.UnixMilli()) / 1000
	}
	return []api.Measurement{
		gauge("atozbot_bot_running", "Whether a session runs or is paused, here or at another replica.", truthOf(s.Running() || s.Other != "")),
		gauge("atozbot_bot_holder", "Whether this replica runs the session.", truthOf(s.IsHolder)),
		gauge("atozbot_bot_barred", "Whether a running session may not act now.", truthOf(s.Running() && s.Barred != "")),
		gauge("atozbot_breaker_open", "Whether the breaker is open.", truthOf(s.Breaker.Open)),
		gauge("atozbot_breaker_needs_person", "Whether the breaker is open and waits for a person.", truthOf(s.Breaker.Open && s.Breaker.ByUser)),
		gauge("atozbot_cap_reached", "Whether the session has reached its limit of acceptances.", truthOf(s.CapReached)),
		gauge("atozbot_session_looks", "Looks at the board in this session.", float64(s.Session.TotalChecks)),
		gauge("atozbot_session_accepted", "Acceptances in this session.", float64(s.Session.TotalAccepted)),
		gauge("atozbot_session_rejected", "Rejections in this session.", float64(s.Session.TotalRejected)),
		gauge("atozbot_session_accepted_limit", "Acceptances that the session may make.", float64(s.Cap)),
		gauge("atozbot_board_jobs", "Jobs on the newest board.", float64(s.OnBoard)),
		gauge("atozbot_board_seen_timestamp_seconds", "When a board was seen last, in seconds since 1970; 0 for never.", seen),
		gauge("atozbot_backoff_remaining_seconds", "How long the portal is still left alone after a fault; 0 where it is not.", backOff),
		gauge("atozbot_look_interval_seconds", "The wanted time from look to look.", s.Interval.Seconds()),
		gauge("atozbot_look_interval_measured_seconds", "The measured time from look to look, smoothed.", s.RealInterval.Seconds()),
	}
}

func gauge(name, help string, value float64) api.Measurement {
	return api.Measurement{Name: name, Help: help, Value: value, Kind: api.Gauge}
}

func truthOf(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
