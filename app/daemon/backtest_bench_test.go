package daemon

import (
	"log/slog"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// BenchmarkBacktest tries rules on 100,000 recorded jobs, from reading them to the answer
// of the API.
func BenchmarkBacktest(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkBacktest(b, storetest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { benchmarkBacktest(b, storetest.Postgres(b)) })
}

func benchmarkBacktest(b *testing.B, dsn string) {
	s := storetest.Open(b, dsn, store.Options{})
	now := time.Date(2027, 1, 31, 18, 0, 0, 0, time.UTC)
	record(b, s, now, longHistory)
	v := versions{db: s, account: app.DefaultAccountID, now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler)}
	c := app.DefaultConfiguration()
	c.MaxAcceptPerRun = longHistory
	c.Languages, c.MinNoticeMinutes, c.BufferBefore, c.MaxPerDay = []string{"Polish"}, 60, 15, 8
	b.ReportAllocs()
	for b.Loop() {
		result, err := v.Backtest(b.Context(), c, now.AddDate(-10, 0, 0))
		if err != nil || result.Jobs != longHistory || result.WouldAccept == 0 {
			b.Fatal(result.Jobs, result.WouldAccept, err)
		}
	}
}
