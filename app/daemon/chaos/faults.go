package chaos

import (
	"bufio"
	"context"
	"net"
	"time"
)

// Reach is which of /health's checks a fault must show in.
type Reach string

// The reaches.
const (
	InDatabase Reach = "database" // 503 until it is mended.
	InRedis    Reach = "redis"    // 200, degraded, until it is mended.
	InBoth     Reach = "both"
)

// Fault is one row of the table: what is broken, how, and how it is mended.
type Fault struct {
	Name    string
	Reach   Reach
	AtStart bool          // It is there before the program starts.
	Lasts   time.Duration // From breaking to mending.
	Short   bool          // Also in the short form.
	Kill    bool          // The program is killed and started again in the middle of it.
	Break   func(context.Context, *Stage) error
	Mend    func(context.Context, *Stage) error
}

// Faults gives the whole table.
func Faults() []Fault {
	rows := []Fault{
		{
			Name: "PostgreSQL down at the start for 0.1 s", Reach: InDatabase, AtStart: true, Lasts: 100 * time.Millisecond, Short: true,
			Break: stopPostgres, Mend: startPostgres,
		},
		{
			Name: "PostgreSQL down at the start for 5 s", Reach: InDatabase, AtStart: true, Lasts: 5 * time.Second, Short: true,
			Break: stopPostgres, Mend: startPostgres,
		},
		{
			Name: "PostgreSQL down at the start for 60 s", Reach: InDatabase, AtStart: true, Lasts: time.Minute,
			Break: stopPostgres, Mend: startPostgres,
		},
		{
			Name: "PostgreSQL and Redis down at the start for 5 s", Reach: InBoth, AtStart: true, Lasts: 5 * time.Second, Short: true,
			Break: both(database(ModeRefuse), redis(ModeRefuse)), Mend: both(database(ModePass), redis(ModePass)),
		},
		{
			Name: "PostgreSQL a black hole at the start for 5 s", Reach: InDatabase, AtStart: true, Lasts: 5 * time.Second,
			Break: database(ModeBlackhole), Mend: database(ModePass),
		},
		{
			Name: "wrong password at the start, mended after 5 s", Reach: InDatabase, AtStart: true, Lasts: 5 * time.Second, Short: true,
			Break: postgresSays("ALTER ROLE " + pgUser + " PASSWORD 'another'"), Mend: postgresSays("ALTER ROLE " + pgUser + " PASSWORD '" + pgPassword + "'"),
		},
		{
			Name: "database missing at the start, created after 5 s", Reach: InDatabase, AtStart: true, Lasts: 5 * time.Second, Short: true,
			Break: postgresSays("DROP DATABASE " + pgDatabase + " WITH (FORCE)"), Mend: postgresSays("CREATE DATABASE " + pgDatabase + " OWNER " + pgUser),
		},
		{
			Name: "PostgreSQL refuses connections for 5 s", Reach: InDatabase, Lasts: 5 * time.Second, Short: true,
			Break: database(ModeRefuse), Mend: database(ModePass),
		},
		{
			Name: "PostgreSQL a black hole for 5 s", Reach: InDatabase, Lasts: 5 * time.Second,
			Break: database(ModeBlackhole), Mend: database(ModePass),
		},
		{
			Name: "PostgreSQL slow, 2 s a packet, for 10 s", Reach: InDatabase, Lasts: 10 * time.Second,
			Break: database(ModeSlow), Mend: database(ModePass),
		},
		{
			Name: "PostgreSQL resets every query for 5 s", Reach: InDatabase, Lasts: 5 * time.Second,
			Break: database(ModeReset), Mend: database(ModePass),
		},
		{
			Name: "PostgreSQL frozen (SIGSTOP) for 10 s", Reach: InDatabase, Lasts: 10 * time.Second, Short: true,
			Break: func(_ context.Context, s *Stage) error { return s.Postgres.Freeze() },
			Mend:  func(_ context.Context, s *Stage) error { return s.Postgres.Thaw() },
		},
		{
			Name: "PostgreSQL killed, started again after 5 s", Reach: InDatabase, Lasts: 5 * time.Second, Short: true,
			Break: func(_ context.Context, s *Stage) error { return s.Postgres.Kill() }, Mend: startPostgres,
		},
		{
			Name: "password changed, mended after 5 s", Reach: InDatabase, Lasts: 5 * time.Second,
			Break: postgresSays("ALTER ROLE "+pgUser+" PASSWORD 'another'", ""), Mend: postgresSays("ALTER ROLE " + pgUser + " PASSWORD '" + pgPassword + "'"),
		},
		{
			Name: "connection limit reached for 5 s", Reach: InDatabase, Lasts: 5 * time.Second,
			Break: postgresSays("ALTER DATABASE "+pgDatabase+" CONNECTION LIMIT 0", ""), Mend: postgresSays("ALTER DATABASE " + pgDatabase + " CONNECTION LIMIT -1"),
		},
		{
			Name: "PostgreSQL read-only for 5 s", Reach: InDatabase, Lasts: 5 * time.Second,
			Break: postgresSays("ALTER DATABASE "+pgDatabase+" SET default_transaction_read_only = on", ""),
			Mend:  postgresSays("ALTER DATABASE "+pgDatabase+" RESET default_transaction_read_only", ""),
		},
		{
			Name: "Redis refuses connections for 5 s", Reach: InRedis, Lasts: 5 * time.Second, Short: true,
			Break: redis(ModeRefuse), Mend: redis(ModePass),
		},
		{
			Name: "Redis a black hole for 5 s", Reach: InRedis, Lasts: 5 * time.Second,
			Break: redis(ModeBlackhole), Mend: redis(ModePass),
		},
		{
			Name: "Redis frozen (SIGSTOP) for 10 s", Reach: InRedis, Lasts: 10 * time.Second,
			Break: func(_ context.Context, s *Stage) error { return s.Redis.Freeze() },
			Mend:  func(_ context.Context, s *Stage) error { return s.Redis.Thaw() },
		},
		{
			Name: "Redis killed, started again after 5 s", Reach: InRedis, Lasts: 5 * time.Second,
			Break: func(_ context.Context, s *Stage) error { return s.Redis.Kill() },
			Mend:  func(ctx context.Context, s *Stage) error { return s.Redis.Start(ctx) },
		},
		{
			Name: "Redis loading its data for 5 s", Reach: InRedis, Lasts: 5 * time.Second,
			Break: func(_ context.Context, s *Stage) error { s.RedisProxy.Redirect(s.loading.Addr().String()); return nil },
			Mend:  func(_ context.Context, s *Stage) error { s.RedisProxy.Redirect(s.Redis.Address()); return nil },
		},
		{
			Name: "Redis read-only for 5 s", Reach: InRedis, Lasts: 5 * time.Second,
			Break: func(_ context.Context, s *Stage) error {
				_, err := s.Redis.Command("REPLICAOF 127.0.0.1 1")
				return err
			},
			Mend: func(_ context.Context, s *Stage) error { _, err := s.Redis.Command("REPLICAOF NO ONE"); return err },
		},
		{
			Name: "PostgreSQL and Redis refuse connections for 5 s", Reach: InBoth, Lasts: 5 * time.Second, Short: true,
			Break: both(database(ModeRefuse), redis(ModeRefuse)), Mend: both(database(ModePass), redis(ModePass)),
		},
	}
	for _, row := range rows {
		if row.AtStart || row.Reach == InRedis {
			continue
		}
		row.Name += ", the program killed in between"
		row.Kill = true
		row.Lasts = max(row.Lasts, 8*time.Second)
		row.Short = row.Short && row.Reach == InBoth
		rows = append(rows, row)
	}
	return rows
}

func stopPostgres(_ context.Context, s *Stage) error { return s.Postgres.Stop() }

func startPostgres(ctx context.Context, s *Stage) error { return s.Postgres.Start(ctx) }

func database(mode Mode) func(context.Context, *Stage) error {
	return func(_ context.Context, s *Stage) error { return s.DatabaseProxy.Set(mode) }
}

func redis(mode Mode) func(context.Context, *Stage) error {
	return func(_ context.Context, s *Stage) error { return s.RedisProxy.Set(mode) }
}

func both(first, second func(context.Context, *Stage) error) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		if err := first(ctx, s); err != nil {
			return err
		}
		return second(ctx, s)
	}
}

// postgresSays runs statements as the superuser; an empty one hangs up every connection
// of the program, so that what was changed binds the next.
func postgresSays(statements ...string) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		for _, statement := range statements {
			say := func() error { return s.Postgres.Exec(ctx, statement) }
			if statement == "" {
				say = func() error { return s.Postgres.Hangup(ctx) }
			}
			if err := say(); err != nil {
				return err
			}
		}
		return nil
	}
}

// serveLoading answers every line as a Redis that is loading its data does.
func serveLoading(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() { // Ends with the connection, and that with the stage.
			defer conn.Close()
			lines := bufio.NewScanner(conn)
			for lines.Scan() {
				// One answer a command: each begins with the number of its words.
				if line := lines.Text(); len(line) > 0 && line[0] == '*' {
					if _, err := conn.Write([]byte("-LOADING Redis is loading the dataset in memory\r\n")); err != nil {
						return
					}
				}
			}
		}()
	}
}
