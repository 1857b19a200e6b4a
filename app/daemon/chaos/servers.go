package chaos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // The driver that the harness itself looks in with.
)

// Names and the password of the private PostgreSQL. The program's role is not the
// superuser, so that limits bind it as they would anywhere.
const (
	pgSuperuser = "postgres"
	pgUser      = "atozbot"
	pgPassword  = "first-password"
	pgDatabase  = "atozbot"
)

// Postgres is a private server on a loopback port, without a proxy before it.
type Postgres struct {
	bin, dir string
	port     int
	process  *process
	as       *syscall.Credential // Who it runs as; nil for who runs the test.
}

// FindPostgres gives the folder of PostgreSQL's programs, or an error that says what to install.
func FindPostgres() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("PostgreSQL is not installed (apt-get install postgresql)")
	}
	return filepath.Dir(path), nil
}

// NewPostgres makes a cluster below dir, with the user, the password and the database
// of this package, and does not start it.
func NewPostgres(bin, dir string) (*Postgres, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &Postgres{bin: bin, dir: filepath.Join(dir, "postgres"), port: port}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 { // The server refuses to run as root.
		if p.as, err = credentialOf("postgres"); err != nil {
			return nil, err
		}
		if err := os.Chown(p.dir, int(p.as.Uid), int(p.as.Gid)); err != nil {
			return nil, err
		}
		for up := filepath.Dir(p.dir); up != "/" && up != os.TempDir(); up = filepath.Dir(up) {
			if err := os.Chmod(up, 0o755); err != nil {
				return nil, err
			}
		}
	}
	if out, err := p.command("initdb", "-D", p.data(), "-U", pgSuperuser, "--auth-host=scram-sha-256", "--auth-local=trust", "-E", "UTF8", "--locale=C", "-N").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return p, nil
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *Postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.as}
	return cmd
}

// Address is where the server listens, "127.0.0.1:port".
func (p *Postgres) Address() string { return "127.0.0.1:" + strconv.Itoa(p.port) }

// URL is a connection string by way of the given address.
func (p *Postgres) URL(address string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", pgUser, pgPassword, address, pgDatabase)
}

// Start starts the server and waits until it takes connections.
func (p *Postgres) Start(ctx context.Context, more ...string) error {
	args := []string{
		"-D", p.data(), "-p", strconv.Itoa(p.port), "-h", "127.0.0.1", "-k", p.dir,
		"-c", "fsync=off", "-c", "logging_collector=off", "-c", "max_connections=60",
	}
	started, err := startProcess(p.command("postgres", append(args, more...)...), filepath.Join(p.dir, "log"))
	if err != nil {
		return err
	}
	p.process = started
	return until(ctx, func() error {
		return p.query(func(db *sql.DB) error { return db.PingContext(ctx) })
	})
}

// Prepare makes the program's role, and its database anew.
func (p *Postgres) Prepare(ctx context.Context) error {
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + pgDatabase + " WITH (FORCE)",
		"DROP ROLE IF EXISTS " + pgUser,
		"CREATE ROLE " + pgUser + " LOGIN PASSWORD '" + pgPassword + "'",
		"CREATE DATABASE " + pgDatabase + " OWNER " + pgUser,
	} {
		if err := p.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// Hangup ends every connection of the program.
func (p *Postgres) Hangup(ctx context.Context) error {
	return p.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+pgUser+"'")
}

// Exec runs one statement as the superuser, past the proxy.
func (p *Postgres) Exec(ctx context.Context, statement string) error {
	return p.query(func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	})
}

// query lends a connection past the proxy, over the socket, where no password is asked
// for that a fault may have changed.
func (p *Postgres) query(use func(*sql.DB) error) error {
	db, err := sql.Open("pgx", fmt.Sprintf("host=%s port=%d user=%s database=postgres sslmode=disable connect_timeout=2", p.dir, p.port, pgSuperuser))
	if err != nil {
		return err
	}
	defer db.Close()
	return use(db)
}

// Stop ends the server in an orderly way, without waiting for its clients.
func (p *Postgres) Stop() error { return p.process.end(syscall.SIGINT) }

// Kill ends the server as a power cut would.
func (p *Postgres) Kill() error { return p.process.killGroup() }

// Freeze stops every process of the server, as a frozen machine would.
func (p *Postgres) Freeze() error { return p.process.signalFamily(syscall.SIGSTOP) }

// Thaw lets them go on.
func (p *Postgres) Thaw() error { return p.process.signalFamily(syscall.SIGCONT) }

// Redis is a private server on a loopback port.
type Redis struct {
	path, dir string
	port      int
	process   *process
}

// NewRedis finds the server's program and a port, and does not start it.
func NewRedis(dir string) (*Redis, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errors.New("redis-server is not installed (apt-get install redis-server)")
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	r := &Redis{path: path, dir: filepath.Join(dir, "redis"), port: port}
	return r, os.MkdirAll(r.dir, 0o700)
}

// Address is where the server listens, "127.0.0.1:port".
func (r *Redis) Address() string { return "127.0.0.1:" + strconv.Itoa(r.port) }

// Start starts the server and waits until it takes connections.
func (r *Redis) Start(ctx context.Context) error {
	cmd := exec.Command(r.path, "--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--dir", r.dir, "--enable-debug-command", "yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started, err := startProcess(cmd, filepath.Join(r.dir, "log"))
	if err != nil {
		return err
	}
	r.process = started
	return until(ctx, func() error {
		_, err := r.Command("PING")
		return err
	})
}

// Command sends one inline command past the proxy and gives the first line of the answer.
func (r *Redis) Command(line string) (string, error) {
	conn, err := net.DialTimeout("tcp", r.Address(), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte(line + "\r\n")); err != nil {
		return "", err
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(answer[:n]))
	if strings.HasPrefix(text, "-") {
		return "", errors.New(text)
	}
	return text, nil
}

// Stop ends the server.
func (r *Redis) Stop() error { return r.process.end(syscall.SIGTERM) }

// Kill ends it as a power cut would.
func (r *Redis) Kill() error { return r.process.killGroup() }

// Freeze and Thaw stop it and let it go on.
func (r *Redis) Freeze() error { return r.process.signalFamily(syscall.SIGSTOP) }

// Thaw lets it go on.
func (r *Redis) Thaw() error { return r.process.signalFamily(syscall.SIGCONT) }

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func credentialOf(name string) (*syscall.Credential, error) {
	account, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// until asks again, with a short pause, until ask has no error or ctx ends.
func until(ctx context.Context, ask func() error) error {
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-pause.C:
		}
	}
}
