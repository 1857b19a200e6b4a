package web

import (
	"html/template"
	"strings"
	"time"
	"unicode/utf8"

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
			Tone: "wait", Icon: "compass", Lead: v.sayHTML("now.missing"),
			Advice: v.say("now.missingAdvice", "names", v.list(status.MissingSettings)),
			Button: &button{Label: v.say("now.missingButton"), Href: "/welcome", Kind: "primary"},
		}
	case session.Status == app.SessionStarting:
		return hero{Tone: "wait", Icon: "hourglass", Lead: v.sayHTML("now.starting"), More: sentence(v, "now.login."+string(session.LoginStatus))}
	case session.Status == app.SessionStopping:
		return hero{Tone: "wait", Icon: "hourglass", Lead: v.sayHTML("now.stopping")}
	case session.Status == app.SessionError:
		return errorHero(v, session.LastError)
	case !session.Running():
		return hero{
			Tone: "calm", Icon: "stop", Lead: v.sayHTML("now.stopped"), More: sentence(v, "now.stoppedMore"),
		}
	case status.Problem != nil:
		return problemHero(v, *status.Problem)
	case status.Breaker != nil:
		return breakerHero(v, *status.Breaker)
	case late(status, now):
		return hero{Tone: "bad", Icon: "alert", Lead: v.sayHTML("now.late"), Advice: v.say("now.lateAdvice")}
	case session.Status == app.SessionPaused:
		return hero{
			Tone: "calm", Icon: "pause", Lead: v.sayHTML("now.paused"), More: sentence(v, "now.pausedMore"),
		}
	case status.Mode != app.ModeLive:
		return hero{Tone: "calm", Icon: "eye", Lead: v.sayHTML("now.practice"), More: sentence(v, "now.practiceMore")}
	case status.NotActing != "":
		return hero{
			Tone: "warn", Icon: "alert", Lead: v.sayHTML("now.notActing"), More: []template.HTML{escaped(v.retell(status.NotActing))},
			Button: &button{Label: v.say("now.notActingButton"), Href: "/system", Kind: "primary"},
		}
	case status.CapReached:
		return hero{
			Tone: "calm", Icon: "check", Lead: v.sayHTML("now.capReached", "count", status.Cap),
			Button: &button{Label: v.say("now.capButton"), Href: "/rules#caps", Kind: "primary"},
		}
	}
	return hero{Tone: "ok", Icon: "eye", Lead: v.sayHTML("now.watching")}
}

// errorHero tells that the session ended by itself: its first sentence, large, and the rest
// of what is known under it.
func errorHero(v *voice, problem string) hero {
	reason, more, found := strings.Cut(orElse(v.retell(problem), v.say("now.unknownReason")), ". ")
	if found {
		reason += "."
	}
	return hero{
		Tone: "bad", Icon: "alert", Lead: v.sayHTML("now.notWorking", "reason", lowerFirst(reason)),
		Advice: strings.TrimSpace(more + " " + v.say("now.errorAdvice")),
		Button: &button{Label: v.say("now.startAgain"), Icon: "play", Post: "/bot/start", Kind: "primary"},
	}
}

// problemHero tells that the portal shows no board, and what mends it.
func problemHero(v *voice, p Problem) hero {
	h := hero{Tone: "bad", Icon: "alert"}
	switch p.Class {
	case app.PageLoggedOut:
		h.Lead = v.sayHTML("now.loggedOut", "age", v.age(p.Since))
		h.Button = &button{Label: v.say("now.loggedOutButton"), Icon: "play", Post: "/bot/rearm", Kind: "primary"}
	case app.PageChallenge:
		h.Lead = v.sayHTML("now.challenge")
		h.Advice = v.say("now.challengeAdvice")
		h.Button = &button{Label: v.say("now.challengeButton"), Icon: "play", Post: "/bot/rearm", Kind: "primary"}
	case app.PageChanged:
		h.Lead = v.sayHTML("now.changed")
		h.Advice = v.say("now.changedAdvice")
		h.Button = &button{Label: v.say("now.changedButton"), Href: "/system", Kind: "primary"}
	default:
		h.Tone, h.Icon = "warn", "cloud-off"
		h.Lead = v.sayHTML("now.unavailable")
		h.Advice = v.say("now.unavailableAdvice")
	}
	if p.Class != app.PageLoggedOut {
		h.More = []template.HTML{v.sayHTML("now.since", "age", v.age(p.Since))}
	}
	if p.Reason != "" {
		h.Advice = strings.TrimSpace(upperFirst(v.retell(p.Reason)) + ". " + h.Advice)
	}
	return h
}

// breakerHero tells that the bot looks and does not act, and what mends it.
func breakerHero(v *voice, b Breaker) hero {
	h := hero{
		Tone: "warn", Icon: "shield", Lead: v.sayHTML("now.breaker"),
		More: []template.HTML{escaped(upperFirst(strings.TrimSuffix(v.retell(b.Reason), ".")) + ".")},
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

func upperFirst(text string) string { return changeFirst(text, strings.ToUpper) }

func lowerFirst(text string) string { return changeFirst(text, strings.ToLower) }

func changeFirst(text string, how func(string) string) string {
	_, size := utf8.DecodeRuneInString(text)
	return how(text[:size]) + text[size:]
}
