package web

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/atozbot/atozbot/app"
)

// deeds names, by the pattern of its route with what is to be done put in, what an act
// does, in the words that the API's own entries in the audit log have. Acts that change
// nothing have none, and those that answer by themselves note theirs.
func deeds() map[string]string {
	return map[string]string{
		"POST /bot/start": "bot.start", "POST /bot/stop": "bot.stop", "POST /bot/again/{session}": "bot.again", "POST /bot/pause": "bot.pause", "POST /bot/resume": "bot.resume", "POST /bot/rearm": "bot.rearm",
		"POST /jobs/{id}/accept": "job.accept", "POST /jobs/{id}/leave": "job.leave", "POST /jobs/{id}/ask": "job.ask",
		"POST /rules": configurationSave, "POST /settings/zone": configurationSave, "POST /welcome/live": configurationSave, "POST /rules/undo": configurationUndo,
		"POST /settings/portal/try":        "portal.save",
		"POST /settings/notifications/add": "channel.add", "POST /settings/notifications/on": "channel.on", "POST /settings/notifications/off": "channel.off",
		"POST /settings/notifications/delete": "channel.delete",
		"POST /settings/calendars/add":        "calendar.add", "POST /settings/calendars/renew": "calendar.renew", "POST /settings/calendars/delete": "calendar.delete",
		"POST /settings/tokens/add": "token.create", "POST /settings/tokens/revoke": "token.revoke",
	}
}

const (
	configurationSave = "configuration.save"
	configurationUndo = "configuration.undo"
)

// deed is what somebody is about to do.
type deed struct {
	what   string // "" for what is not noted.
	on     string // By its name: what is deleted has none any more afterwards.
	before string // The configuration, where that is what is changed.
}

// deedOf reads from the request what is about to be done.
func (s *Site) deedOf(v *visit) deed {
	d := deed{what: deeds()[strings.Replace(v.r.Pattern, "{do}", v.r.PathValue("do"), 1)]}
	if d.what == "" || s.Audit == nil {
		return deed{}
	}
	d.on = shortened(s.subject(v, d.what), longestSubject)
	if d.what == configurationSave || d.what == configurationUndo {
		d.before = s.configurationNow(v.r.Context())
	}
	return d
}

// done notes a deed that was done, also where its sender has gone. Nothing of what a form
// holds goes into the log but names and ids.
func (s *Site) done(v *visit, d deed) {
	if d.what == "" {
		return
	}
	e := AuditEntry{What: d.what, On: d.on, Before: d.before}
	if d.before != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(v.r.Context()), patience)
		defer cancel()
		e.After = s.configurationNow(ctx)
	}
	s.noteEntry(v, v.person.Name, e)
}

// subject is what an act is done to: its name where it has one that can be told, its id
// elsewhere.
func (s *Site) subject(v *visit, what string) string {
	ctx, id := v.r.Context(), orElse(v.r.PathValue("id"), v.r.Form.Get("id"))
	kind, _, _ := strings.Cut(what, ".")
	switch {
	case id != "" && kind == "job":
		if trace, err := s.Jobs.Job(ctx, id); err == nil {
			return orElse(trace.Job.Ref, id)
		}
	case id != "" && kind == "channel" && s.Channels != nil:
		all, _ := s.Channels.Channels(ctx) // Where they cannot be read, the id must do.
		for _, c := range all {
			if c.ID == id {
				return orElse(c.Name, id)
			}
		}
	case id != "" && kind == "calendar" && s.Calendars != nil:
		all, _ := s.Calendars.BusyCalendars(ctx)
		for _, c := range all {
			if c.ID == id {
				return orElse(c.Name, id)
			}
		}
	case id == "" && kind == "portal":
		return v.r.PostForm.Get("portal_username")
	}
	return orElse(id, v.r.PostForm.Get("name"))
}

// longestSubject bounds what a form adds to the audit log.
const longestSubject = 200

// configurationNow is the configuration in force, as the audit log keeps it.
func (s *Site) configurationNow(ctx context.Context) string {
	c, err := s.Configurations.Configuration(ctx)
	if err != nil {
		return ""
	}
	return asJSON(c)
}

func asJSON(c app.Configuration) string {
	content, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return string(content)
}
