package daemon

import (
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/bot"
	"github.com/atozbot/atozbot/app/health"
)

// portalStatus is the portal as health shows it: what the newest look found, in words
// that name no host. Any page but a board is unhealthy at once.
func portalStatus(s bot.Status) health.Service {
	v := health.Service{Status: health.StatusUnknown, LastCheck: s.LastLook, LastGood: s.LastBoard, NextTry: s.BackOffUntil}
	switch {
	case !s.Active() && (s.Session.Status != app.SessionError || s.Page == ""):
		// Nobody asks the portal anything.
	case s.Page == app.PageBoard || s.Page == app.PageEmptyBoard:
		v.Status = health.StatusHealthy
	case s.Page != "":
		v.Status, v.Since = health.StatusUnhealthy, s.ProblemSince
		v.Reason, v.Advice = pageWords(s.Page)
	default:
		v.Status = health.StatusConnecting
	}
	return v
}

// pageWords says what a page class means, and what to do.
func pageWords(page app.PageClass) (words, advice string) {
	switch page {
	case app.PageLoggedOut:
		return "logged out", "Check ATOZ_USERNAME and ATOZ_PASSWORD, and log in at the portal by hand once."
	case app.PageUnavailable:
		return "unavailable", "Wait: the bot comes back when the portal does."
	case app.PageChallenge:
		return "a challenge waits for a person", "Log in at the portal by hand, answer it, and rearm the bot."
	default:
		return "the page has changed", "Compare the portal with the profile; `atozbot doctor` says which part does not fit."
	}
}

// botStatus is the bot as health shows it.
func botStatus(s bot.Status) health.Service {
	v := health.Service{Status: health.StatusDisconnected, LastCheck: s.LastLook, LastGood: s.LastBoard, Since: s.Session.StartedAt}
	switch s.Session.Status {
	case app.SessionRunning, app.SessionPaused:
		v.Status = health.StatusHealthy
	case app.SessionStarting, app.SessionStopping:
		v.Status = health.StatusConnecting
	case app.SessionError:
		v.Status, v.Reason, v.Advice = health.StatusUnhealthy, "the session ended with an error", "See the last error in the bot's status."
	}
	if s.Other != "" {
		v.Status = health.StatusHealthy
		v.More = map[string]any{"detail": "another replica runs the session"}
	}
	return v
}

// liveStatus is the hub as health shows it: where it runs, it works.
func liveStatus(started time.Time, listeners func() int, now func() time.Time) func() health.Service {
	return func() health.Service {
		at := now()
		return health.Service{
			Status: health.StatusHealthy, LastCheck: at, LastGood: at, Since: started, More: map[string]any{"listeners": listeners()},
		}
	}
}
