package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// Stage is everything that one row of the table needs: the servers, the proxies before
// them, a practice portal, and the program.
type Stage struct {
	Postgres      *Postgres
	Redis         *Redis
	DatabaseProxy *Proxy
	RedisProxy    *Proxy
	Portal        *practice.Portal
	Program       *Program

	loading net.Listener // Answers as a Redis that is loading does.
	site    *httptest.Server
	started time.Time
	jobs    int
}

// OpenServers starts the servers and proxies that all rows share, below dir.
func OpenServers(ctx context.Context, dir string) (*Stage, error) {
	bin, err := FindPostgres()
	if err != nil {
		return nil, err
	}
	s := &Stage{}
	if s.Postgres, err = NewPostgres(bin, dir); err != nil {
		return nil, err
	}
	if s.Redis, err = NewRedis(dir); err != nil {
		return nil, err
	}
	if err := errors.Join(s.Postgres.Start(ctx), s.Redis.Start(ctx)); err != nil {
		s.CloseServers()
		return nil, err
	}
	if s.DatabaseProxy, err = NewProxy(s.Postgres.Address()); err != nil {
		return nil, err
	}
	if s.RedisProxy, err = NewProxy(s.Redis.Address()); err != nil {
		return nil, err
	}
	if s.loading, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	go serveLoading(s.loading) // Ends when CloseServers closes the listener.
	return s, nil
}

// CloseServers ends what OpenServers started.
func (s *Stage) CloseServers() {
	if s.loading != nil {
		_ = s.loading.Close()
	}
	for _, proxy := range []*Proxy{s.DatabaseProxy, s.RedisProxy} {
		if proxy != nil {
			proxy.Close()
		}
	}
	_ = s.Postgres.Kill()
	_ = s.Redis.Kill()
}

// Set prepares a row: a new database, a new portal, the program not started yet.
func (s *Stage) Set(ctx context.Context, binary, dir string) error {
	if err := s.Postgres.Prepare(ctx); err != nil {
		return err
	}
	s.Portal = practice.New(practice.Scenario{Seed: 1}, practice.Options{})
	s.site = httptest.NewServer(s.Portal)
	s.jobs, s.started = 0, time.Now()
	var err error
	s.Program, err = NewProgram(binary, dir,
		"DATABASE_URL="+s.Postgres.URL(s.DatabaseProxy.Address()),
		"REDIS_URL=redis://"+s.RedisProxy.Address(),
		"DB_CONNECT_ATTEMPTS=3", "DB_CONNECT_DELAY="+RetryDelay.String(), "REDIS_CONNECT_DELAY="+RetryDelay.String(),
		"ATOZ_BASE_URL="+s.site.URL, "ATOZ_USERNAME="+practice.DefaultEmail, "ATOZ_PASSWORD="+practice.DefaultPassword,
		"BOT_MODE=live", "BOT_AUTOSTART=true", "REFRESH_INTERVAL_SEC=0.2", "MAX_ACCEPT_PER_RUN=1000",
	)
	return err
}

// RetryDelay is the DB_CONNECT_DELAY that the program is given.
const RetryDelay = time.Second

// Strike ends the row's portal and program, however the row went.
func (s *Stage) Strike() {
	if s.Program != nil {
		s.Program.Unwatch()
		_ = s.Program.Kill()
		s.Program.client.CloseIdleConnections()
	}
	if s.site != nil {
		s.site.CloseClientConnections()
		s.site.Close()
	}
}

// AddJob lists one more job that fits, overlaps no other, and is wanted by no rival.
func (s *Stage) AddJob() int64 {
	s.jobs++
	return s.Portal.AddJob(practice.Job{
		Starts:     s.started.Add(48*time.Hour + time.Duration(s.jobs)*2*time.Hour),
		RivalAfter: -1,
	})
}

// Won tells whether the portal holds the job for the account.
func (s *Stage) Won(number int64) bool {
	job, _ := s.Portal.Truth().Job(number)
	return job.Holder == practice.DefaultEmail
}

// AwaitWon waits until the account has all of these jobs.
func (s *Stage) AwaitWon(ctx context.Context, numbers ...int64) error {
	return until(ctx, func() error {
		for _, number := range numbers {
			if !s.Won(number) {
				return fmt.Errorf("job %d is not accepted", number)
			}
		}
		return nil
	})
}

// Settled compares the program's records with the portal's truth: every job of the
// account accepted once, with one POST that was committed, and nothing beside.
func (s *Stage) Settled(ctx context.Context) error {
	var records []struct {
		Ref    string `json:"job_ref"`
		Status string
	}
	if err := s.Program.Get(ctx, "/api/bot/jobs?limit=1000", &records); err != nil {
		return err
	}
	recorded := map[string]string{}
	for _, record := range records {
		number, _, _ := strings.Cut(record.Ref, "/")
		if _, twice := recorded[number]; twice {
			return fmt.Errorf("job %s is recorded twice", number)
		}
		recorded[number] = record.Status
	}
	truth := s.Portal.Truth()
	for _, job := range truth.Jobs {
		number := fmt.Sprint(job.Number)
		want := "matched"
		if job.Holder == practice.DefaultEmail {
			want = "accepted"
		}
		if recorded[number] != want {
			return fmt.Errorf("job %s is recorded as %q and is %q on the portal", number, recorded[number], want)
		}
		delete(recorded, number)
	}
	if len(recorded) > 0 {
		return fmt.Errorf("recorded, and not on the portal: %v", recorded)
	}
	if len(truth.Wrong) > 0 {
		return fmt.Errorf("wrong acts: %+v", truth.Wrong)
	}
	var status struct {
		TotalAccepted int `json:"total_accepted"`
	}
	if err := s.Program.Get(ctx, "/api/bot/status", &status); err != nil {
		return err
	}
	if held := len(truth.HeldBy(practice.DefaultEmail)); status.TotalAccepted != held {
		return fmt.Errorf("total_accepted is %d, and the portal has %d", status.TotalAccepted, held)
	}
	return nil
}

// AwaitSettled waits until the records are the truth.
func (s *Stage) AwaitSettled(ctx context.Context) error {
	return until(ctx, func() error { return s.Settled(ctx) })
}
