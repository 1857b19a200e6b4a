package bot

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

// The cost of a look without the portal: a board of 50 rows, all decided, as it is at
// nearly every look.

// blank is records that know nothing and take everything.
type blank struct{ config app.Configuration }

func (b blank) Configuration(context.Context, string) (app.Configuration, error) {
	return b.config, nil
}
func (blank) Resumable(context.Context, string) (*app.Session, error) { return nil, nil }
func (blank) Unsettled(context.Context, string) ([]app.Claim, error)  { return nil, nil }
func (blank) Jobs(context.Context, string, []string) (map[string]app.JobRecord, error) {
	return nil, nil
}
func (blank) Claims(context.Context, string, []string) ([]app.Claim, error) { return nil, nil }
func (blank) Watched(context.Context, string, time.Time) ([]app.JobRecord, error) {
	return nil, nil
}

func (blank) Tally(context.Context, string, string, time.Time) (app.Tally, error) {
	return app.Tally{}, nil
}

func (blank) Claim(_ context.Context, c app.Claim, _ func(app.Tally) error) (app.Claim, error) {
	return c, nil
}
func (blank) Save(context.Context, app.Record) error   { return nil }
func (blank) MayAct(context.Context, string) error     { return nil }
func (blank) Release(context.Context, app.Lease) error { return nil }
func (blank) Acquire(context.Context, string, string, time.Time) (app.Lease, bool, error) {
	return app.Lease{}, true, nil
}
func (blank) Renew(_ context.Context, l app.Lease, _ time.Time) (app.Lease, error) { return l, nil }

// still is a portal whose details never change.
type still struct{ Portal }

func (still) Details(_ context.Context, j app.Job) (app.Details, error) {
	return app.Details{Number: j.Number, Type: "Telephone interpreting", StatusText: "Matched", State: app.StateMatched}, nil
}

func boardOf(rows int, minute int) app.Board {
	b := app.Board{Complete: true, SeenAt: time.Now()}
	for i := range rows {
		number := fmt.Sprint(48000 + i)
		b.Jobs = append(b.Jobs, app.Job{
			Number: number, Ref: number + "/A", Language: "Polish", SubmittedText: "2026-01-15",
			DateText: "2030-01-15", TimeText: fmt.Sprintf("14:%02d", minute), DurationText: "30 mins", StatusText: "Matched",
			Date: "2030-01-15", Time: fmt.Sprintf("14:%02d", minute), DurationMinutes: 30, State: app.StateMatched,
			Row:        []string{number + "/A", "2026-01-15", "2030-01-15", "14:30", "30 mins", "Polish", "Matched", "View"},
			DetailsURL: "https://portal.test/interpreter-jobs/" + number, AcceptForm: &app.Form{Method: "POST"},
		})
	}
	return b
}

func newBenchRun(b *testing.B) *run {
	b.Helper()
	c := app.DefaultConfiguration()
	c.Version = 1
	bot := New(Options{Portal: still{}, Records: blank{c}, Random: func() float64 { return 0.5 }, Log: slog.New(slog.DiscardHandler)})
	r := newRun(bot, app.Session{ID: "s"}, app.Lease{})
	keeping, stop := context.WithCancel(b.Context())
	kept := make(chan struct{})
	go func() { defer close(kept); bot.ledger.run(keeping) }()
	b.Cleanup(func() { stop(); <-kept; bot.tasks.Wait() })
	r.useConfiguration(c)
	r.restore()
	r.readTally()
	return r
}

func BenchmarkLookUnchangedBytes(b *testing.B) {
	r := newBenchRun(b)
	board := boardOf(50, 30)
	r.work(board)
	board.Unchanged = true
	b.ReportAllocs()
	for b.Loop() {
		r.tally.readAt, r.restUntil = time.Now(), time.Now().Add(time.Minute)
		r.work(board)
	}
}

func BenchmarkLookSameRowsDecodedAnew(b *testing.B) {
	r := newBenchRun(b)
	r.work(boardOf(50, 30))
	board := boardOf(50, 30)
	b.ReportAllocs()
	for b.Loop() {
		r.tally.readAt = time.Now()
		r.work(board)
	}
}

func BenchmarkLookOneRowChanged(b *testing.B) {
	r := newBenchRun(b)
	boards := []app.Board{boardOf(50, 30), boardOf(50, 30)}
	boards[1].Jobs[25].TimeText, boards[1].Jobs[25].Time = "15:00", "15:00"
	r.work(boards[0])
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.tally.readAt = time.Now()
		r.work(boards[i%2])
	}
}

func BenchmarkLookEveryRowChanged(b *testing.B) {
	r := newBenchRun(b)
	boards := []app.Board{boardOf(50, 30), boardOf(50, 31)}
	r.work(boards[0])
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.tally.readAt = time.Now()
		r.work(boards[i%2])
	}
}
