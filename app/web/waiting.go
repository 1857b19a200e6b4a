package web

import (
	"net/http"

	"github.com/atozbot/atozbot/app"
)

// waitingPage says what the start still waits for.
type waitingPage struct {
	Lines []waitingLine
	All   []Service
}

// waitingLine is one thing that is awaited.
type waitingLine struct {
	Text, Reason, Advice string
}

// showWaiting answers in place of every page until the start is through. It turns into
// the page that was asked for by itself.
func (s *Site) showWaiting(w http.ResponseWriter, r *http.Request, snapshot HealthSnapshot) {
	v := s.visit(w, r, Person{})
	p := waitingPage{}
	for _, service := range snapshot.Services {
		if !service.Essential || service.State == ServiceHealthy {
			continue
		}
		name := serviceName(v.voice, service.Name)
		line := waitingLine{Text: v.voice.say("waiting.for", "name", name), Reason: upperFirst(v.voice.retell(service.Reason)), Advice: v.voice.retell(service.Advice)}
		if service.Attempt > 0 && service.Attempts > 0 {
			line.Text = v.voice.say("waiting.attempt", "name", name, "attempt", service.Attempt, "attempts", service.Attempts)
			if service.Attempt > service.Attempts {
				line.Text = v.voice.say("waiting.beyond", "name", name, "attempt", service.Attempt)
			}
		}
		p.Lines = append(p.Lines, line)
	}
	if len(p.Lines) == 0 {
		p.Lines = []waitingLine{{Text: v.voice.say("waiting.start")}}
	}
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Cache-Control", "no-store")
	s.show(v, &view{
		page: "waiting", title: v.voice.say("waiting.title"), bare: true, data: p,
		status: statusOf(app.CodeUnavailable),
	})
}

// serviceName gives a dependency's name in words; the name itself where there are none.
func serviceName(v *voice, name string) string {
	if key := "service." + name; v.knows(key) {
		return v.say(key)
	}
	return name
}
