package daemon

import (
	"testing"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/bot"
	"github.com/atozbot/atozbot/app/health"
)

func TestThePortalIsWellOnlyWhileABoardIsSeen(t *testing.T) {
	for name, c := range map[string]struct {
		session app.SessionStatus
		page    app.PageClass
		want    health.Status
	}{
		"running, on a board":                     {app.SessionRunning, app.PageBoard, health.StatusHealthy},
		"running, on an empty board":              {app.SessionRunning, app.PageEmptyBoard, health.StatusHealthy},
		"paused, logged out":                      {app.SessionPaused, app.PageLoggedOut, health.StatusUnhealthy},
		"running, changed":                        {app.SessionRunning, app.PageChanged, health.StatusUnhealthy},
		"running, away":                           {app.SessionRunning, app.PageUnavailable, health.StatusUnhealthy},
		"waiting for a person after a challenge":  {app.SessionError, app.PageChallenge, health.StatusUnhealthy},
		"waiting for a person with the passwords": {app.SessionError, app.PageLoggedOut, health.StatusUnhealthy},
		"ended in an error, nothing asked since":  {app.SessionError, "", health.StatusUnknown},
		"running, before the first look":          {app.SessionRunning, "", health.StatusConnecting},
		"stopped":                                 {app.SessionStopped, "", health.StatusUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			got := portalStatus(bot.Status{Session: app.Session{Status: c.session}, Page: c.page})
			if got.Status != c.want {
				t.Errorf("the portal is %q, not %q", got.Status, c.want)
			}
		})
	}
}
