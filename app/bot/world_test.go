package bot_test

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/bot"
)

// world is a bot with its portal and its records, in a bubble of time.
type world struct {
	t       *testing.T
	portal  *fakePortal
	records *fakeRecords
	bot     *bot.Bot
	holder  string
	missing error
	memory  memory // Kept over restarts.
	shared  bool   // Other replicas can leave wishes.
	end     context.CancelFunc
	ended   chan struct{}
}

// memory keeps what a bot is to know after a restart.
type memory struct {
	refused int
	quiet   time.Time
	asked   func() // Called when it is asked; may take its time.
}

func (m *memory) Refused() int {
	if m.asked != nil {
		m.asked()
	}
	return m.refused
}
func (m *memory) NoteRefused(times int)     { m.refused = times }
func (m *memory) Quiet() time.Time          { return m.quiet }
func (m *memory) NoteQuiet(until time.Time) { m.quiet = until }

// inWorld runs a test in a bubble, with a bot that is not started yet, and ends the bot
// with the test.
func inWorld(t *testing.T, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, portal: newFakePortal(), records: newFakeRecords(), holder: "here"}
		w.boot()
		defer w.down()
		test(w)
	})
}

// boot makes a bot, as a start of the process does.
func (w *world) boot() {
	options := bot.Options{
		Holder: w.holder, Portal: w.portal, Records: w.records,
		Credentials: func() error { return w.missing }, Memory: &w.memory,
		Random: rand.New(rand.NewPCG(1, 2)).Float64,
		Log:    slog.New(slog.NewTextHandler(w.logTo(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if w.shared {
		options.Wishes = w.records
	}
	w.bot = bot.New(options)
	ctx, cancel := context.WithCancel(w.t.Context())
	w.end = cancel
	ended := make(chan struct{})
	w.ended = ended
	b := w.bot
	go func() {
		defer close(ended)
		_ = b.Run(ctx)
	}()
}

func (w *world) logTo() io.Writer {
	if testing.Verbose() {
		return w.t.Output()
	}
	return io.Discard
}

// down ends the bot without patience.
func (w *world) down() {
	w.end()
	<-w.ended
}

// start begins a session and fails the test where it can't.
func (w *world) start() app.Session {
	w.t.Helper()
	s, err := w.bot.Start(w.t.Context(), "a session")
	if err != nil {
		w.t.Fatalf("the bot does not start: %v", err)
	}
	return s
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// until lets time pass until something is so, and tells how long it took.
func (w *world) until(what string, so func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for range 60_000 {
		synctest.Wait()
		if so() {
			return time.Since(began)
		}
		<-time.After(5 * time.Millisecond)
	}
	w.t.Fatalf("it never came to pass: %s (%+v)", what, w.bot.Status())
	return 0
}

// status waits until a job's record has a status.
func (w *world) status(number string, want app.JobStatus) {
	w.t.Helper()
	w.until("job "+number+" is "+string(want)+", it is "+string(w.records.job(number).Status), func() bool { return w.records.job(number).Status == want })
}

// want fails the test where something is not so.
func (w *world) want(so bool, format string, args ...any) {
	w.t.Helper()
	if !so {
		w.t.Errorf(format, args...)
	}
}
