package web

import (
	"html/template"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// hero makes the one sentence: what the bot does, in the order of what matters most.
func (s *Site) hero(v *voice, status BotStatus, booked int64) hero {
	h := heroOf(v, status, s.Now())
	if !status.Session.Running() {
		return h
	}
	if !status.LastLook.IsZero() {
		h.More = append(h.More, v.sayHTML("now.lastLook", "age", `<span class="look">`+v.age(status.LastLook)+`</span>`))
	}
	if status.Mode == app.ModeLive && status.Session.Status != app.SessionPaused {
		h.More = append(h.More, v.sayHTML("now.booked", "count", int(booked)))
	}
	return h
}

// heroOf picks the state that is to be told. It has a button where something is to be
// mended; starting and resuming are always in reach of the thumb.
func heroOf(v *voice, status BotStatus, now time.Time) hero {
	session := status.Session
	switch {
	case len(status.MissingSettings) > 0 && !session.Running():
		return hero{
			Tone: "wait", Icon: "compass", Lead: v.say("now.missing"),
			Advice: v.say("now.missingAdvice", "names", v.list(status.MissingSettings)),
			Button: &button{Label: v.say("now.missingButton"), Href: "/welcome", Kind: "primary"},
		}
	case session.Status == app.SessionStarting:
		return hero{Tone: "wait", Icon: "hourglass", Lead: v.say("now.starting"), More: sentence(v, "now.login."+string(session.LoginStatus))}
	case session.Status == app.SessionStopping:
		return hero{Tone: "wait", Icon: "hourglass", Lead: v.say("now.stopping")}
	case session.Status == app.SessionError:
		return hero{
			Tone: "bad", Icon: "alert", Lead: v.say("now.notWorking", "reason", orElse(session.LastError, v.say("now.unknownReason"))),
			Advice: v.say("now.errorAdvice"), Button: &button{Label: v.say("now.startAgain"), Icon: "play", Post: "/bot/start", Kind: "primary"},
		}
	case !session.Running():
		return hero{
			Tone: "calm", Icon: "stop", Lead: v.say("now.stopped"), More: sentence(v, "now.stoppedMore"),
		}
	case status.Problem != nil:
		return problemHero(v, *status.Problem)
	case status.Breaker != nil:
		return breakerHero(v, *status.Breaker)
	case late(status, now):
		return hero{Tone: "bad", Icon: "alert", Lead: v.say("now.late"), Advice: v.say("now.lateAdvice")}
	case session.Status == app.SessionPaused:
		return hero{
			Tone: "calm", Icon: "pause", Lead: v.say("now.paused"), More: sentence(v, "now.pausedMore"),
		}
	case status.Mode != app.ModeLive:
		return hero{Tone: "calm", Icon: "eye", Lead: v.say("now.practice"), More: sentence(v, "now.practiceMore")}
	case status.NotActing != "":
		return hero{
			Tone: "warn", Icon: "alert", Lead: v.say("now.notActing"), More: []template.HTML{escaped(status.NotActing)},
			Button: &button{Label: v.say("now.notActingButton"), Href: "/system", Kind: "primary"},
		}
	case status.CapReached:
		return hero{
			Tone: "calm", Icon: "check", Lead: v.say("now.capReached", "count", status.Cap),
			Button: &button{Label: v.say("now.capButton"), Href: "/rules#caps", Kind: "primary"},
		}
	}
	return hero{Tone: "ok", Icon: "eye", Lead: v.say("now.watching")}
}

// problemHero tells that the portal shows no board, and what mends it.
func problemHero(v *voice, p Problem) hero {
	h := hero{Tone: "bad", Icon: "alert"}
	since := v.age(p.Since)
	switch p.Class {
	case app.PageLoggedOut:
		h.Lead = v.say("now.loggedOut")
		h.Button = &button{Label: v.say("now.loggedOutButton"), Icon: "play", Post: "/bot/rearm", Kind: "primary"}
	case app.PageChallenge:
		h.Lead = v.say("now.challenge")
		h.Advice = v.say("now.challengeAdvice")
		h.Button = &button{Label: v.say("now.challengeButton"), Icon: "play", Post: "/bot/rearm", Kind: "primary"}
	case app.PageChanged:
		h.Lead = v.say("now.changed")
		h.Advice = v.say("now.changedAdvice")
		h.Button = &button{Label: v.say("now.changedButton"), Href: "/system", Kind: "primary"}
	default:
		h.Tone, h.Icon = "warn", "cloud-off"
		h.Lead = v.say("now.unavailable")
		h.Advice = v.say("now.unavailableAdvice")
	}
	h.More = []template.HTML{v.sayHTML("now.since", "age", since)}
	if p.Reason != "" {
		h.Advice = strings.TrimSpace(upperFirst(p.Reason) + ". " + h.Advice)
	}
	return h
}

// breakerHero tells that the bot looks and does not act, and what mends it.
func breakerHero(v *voice, b Breaker) hero {
	h := hero{
		Tone: "warn", Icon: "shield", Lead: v.say("now.breaker"),
		More: []template.HTML{escaped(upperFirst(strings.TrimSuffix(b.Reason, ".")) + ".")},
	}
	if b.NeedsYou {
		h.Advice = v.say("now.breakerAdvice")
		h.Button = &button{Label: v.say("now.breakerButton"), Icon: "play", Post: "/bot/rearm", Kind: "primary"}
	} else {
		h.Advice = v.say("now.breakerByItself")
	}
	return h
}

// late tells whether looks have stopped coming although nothing says why: ten of them
// missed, and half a minute at least.
func late(status BotStatus, now time.Time) bool {
	if status.LastLook.IsZero() {
		return false
	}
	return now.Sub(status.LastLook) > max(10*status.Interval, 30*time.Second)
}

// sentence gives a text as the only sentence after the lead; none where there is none.
func sentence(v *voice, key string) []template.HTML {
	if !v.knows(key) {
		return nil
	}
	return []template.HTML{escaped(v.say(key))}
}

func escaped(text string) template.HTML { return template.HTML(template.HTMLEscapeString(text)) }

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func upperFirst(text string) string {
	for i, letter := range text {
		if i == 0 {
			return strings.ToUpper(string(letter)) + text[len(string(letter)):]
		}
	}
	return text
}
