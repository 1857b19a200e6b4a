package daemon

import (
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/bot"
	"github.com/atozbot/atozbot/app/health"
)

// Measure gives the figures of the house for /metrics. It only looks at memory.
func (h *house) Measure() []api.Measurement {
	s := h.desk.bot().Status()
	figures := []api.Measurement{
		gauge("atozbot_database_up", "Whether the database can be used.", truthOf(h.database.State().Usable())),
		gauge("atozbot_redis_up", "Whether Redis can be used.", truthOf(h.redis.State().Usable())),
		gauge("atozbot_portal_up", "Whether the newest look at the portal showed a board.", truthOf(portalStatus(s).Status == health.StatusHealthy)),
		gauge("atozbot_database_retries", "Failed tries since the database was last good.", float64(h.database.State().Retries)),
		gauge("atozbot_redis_retries", "Failed tries since Redis was last good.", float64(h.redis.State().Retries)),
		gauge("atozbot_journal_waiting", "Steps that wait to be stored in the database.", float64(h.journaled())),
	}
	return append(figures, botFigures(s)...)
}

func botFigures(s bot.Status) []api.Measurement {
	return []api.Measurement{
		gauge("atozbot_bot_running", "Whether a session runs or is paused.", truthOf(s.Running())),
		gauge("atozbot_bot_holder", "Whether this replica runs the session.", truthOf(s.IsHolder)),
		gauge("atozbot_breaker_open", "Whether the breaker is open.", truthOf(s.Breaker.Open)),
		gauge("atozbot_session_looks", "Looks at the board in this session.", float64(s.Session.TotalChecks)),
		gauge("atozbot_session_accepted", "Acceptances in this session.", float64(s.Session.TotalAccepted)),
		gauge("atozbot_session_rejected", "Rejections in this session.", float64(s.Session.TotalRejected)),
		gauge("atozbot_board_jobs", "Jobs on the newest board.", float64(s.OnBoard)),
		gauge("atozbot_look_interval_seconds", "The wanted time from look to look.", s.Interval.Seconds()),
		gauge("atozbot_look_interval_real_seconds", "The measured time from look to look.", s.RealInterval.Seconds()),
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
