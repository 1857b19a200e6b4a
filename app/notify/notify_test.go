package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/notify"
)

// book keeps channels and what became of sendings.
type book struct {
	channels []notify.Channel
	mu       sync.Mutex
	sent     []string
}

func (b *book) Channels(context.Context) ([]notify.Channel, error) { return b.channels, nil }

func (b *book) Sent(_ context.Context, id, problem string, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, id+": "+problem)
	return nil
}

func (b *book) outcomes() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent)
}

func event(kind string, data map[string]string) app.Event {
	raw, _ := json.Marshal(data)
	return app.Event{Type: kind, Data: raw}
}

func run(t *testing.T, o notify.Options) *notify.Notifier {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	n := notify.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = n.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return n
}

func TestEachChannelIsToldOfWhatItWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{channels: []notify.Channel{
			{ID: "phone", Address: "a", Kinds: []notify.Kind{notify.Accepted, notify.Problem}},
			{ID: "mail", Address: "b", Kinds: []notify.Kind{notify.Problem}},
		}}
		var got []string
		n := run(t, notify.Options{Channels: b, Dashboard: "http://here", Send: func(_ context.Context, address, title, message string) error {
			got = append(got, address+"|"+title+"|"+message)
			return nil
		}})
		n.Tell(
			event(app.EventJobAccepted, map[string]string{"job_ref": "48213/A", "language": "Polish", "appointment_date": "2027-01-31", "appointment_time": "14:30", "duration": "1 hour", "message": "x"}),
			event(app.EventJobSeen, nil),
			event(app.EventBotError, map[string]string{"message": "Log in by hand."}),
		)
		synctest.Wait()
		want := []string{
			"a|Booked|48213/A, Polish, 2027-01-31 14:30, 1 hour\nhttp://here",
			"a|The bot needs you|Log in by hand.\nhttp://here",
			"b|The bot needs you|Log in by hand.\nhttp://here",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if o := b.outcomes(); !slices.Equal(o, []string{"phone: ", "phone: ", "mail: "}) {
			t.Errorf("%q", o)
		}
	})
}

func TestAChannelThatIsAwayIsTriedAgainAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{channels: []notify.Channel{{ID: "phone", Address: "a", Kinds: []notify.Kind{notify.Accepted}}}}
		tries := 0
		n := run(t, notify.Options{Channels: b, Send: func(context.Context, string, string, string) error {
			if tries++; tries < 3 {
				return errors.New("https://secret-token@service said 503")
			}
			return nil
		}})
		began := time.Now()
		for range 1000 {
			n.Tell(event(app.EventJobAccepted, nil))
		}
		if time.Since(began) > 0 {
			t.Error("telling took time")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if tries < 3 || b.outcomes()[0] != "phone: " {
			t.Errorf("%d tries, %q", tries, b.outcomes()[0])
		}
	})
}

func TestWhyItFailedIsToldWithoutTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{channels: []notify.Channel{{ID: "phone", Address: "a", Kinds: []notify.Kind{notify.Accepted}}}}
		n := run(t, notify.Options{Channels: b, Send: func(context.Context, string, string, string) error {
			return errors.New("POST https://secret-token@service: 401 Unauthorized")
		}})
		n.Tell(event(app.EventJobAccepted, nil))
		time.Sleep(time.Minute)
		synctest.Wait()
		if o := b.outcomes(); len(o) != 1 || !strings.Contains(o[0], "401") || strings.Contains(o[0], "secret") {
			t.Errorf("%q", o)
		}
	})
}

func TestAddressesAreCheckedWhenTheyAreEntered(t *testing.T) {
	for address, good := range map[string]bool{
		"ntfy://ntfy.sh/topic": true, "generic+https://example.com/hook": true, "smtp://u:p@mail.example.com:587/?from=a@example.com&to=b@example.com": true,
		"": false, "https://example.com": false, "carrier-pigeon://x": false, "logger://": false, "telegram://": false, "::": false,
	} {
		if scheme, err := notify.Check(address); (err == nil) != good || good && scheme == "" || !good && app.CodeOf(err) != app.CodeInvalid {
			t.Errorf("%q: %q %v", address, scheme, err)
		}
	}
}

func TestAMessageReallyArrives(t *testing.T) {
	arrived := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- r.URL.Path + " " + string(body)
	}))
	defer server.Close()
	n := notify.New(notify.Options{Channels: &book{}, Log: slog.New(slog.DiscardHandler)})
	if err := n.Test(t.Context(), notify.Channel{Address: "generic+" + server.URL + "/hook"}); err != nil {
		t.Fatal(err)
	}
	if got := <-arrived; !strings.HasPrefix(got, "/hook ") || !strings.Contains(got, "This is a test") {
		t.Errorf("%q", got)
	}
}
