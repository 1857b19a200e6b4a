//go:build unix

package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

	"github.com/jackc/pgx/v5"
)

// PostgresServer is a PostgreSQL of one's own, on a free port of the loopback, in a
// folder that goes with it. It does not sync to disk. It ends when the process that
// started it ends, however that ends.
type PostgresServer struct {
	programs string // Where initdb and postgres are.
	folder   string
	port     int
	user     *syscall.Credential // nil: as we are.

	process *exec.Cmd
	leash   io.Closer // The server ends when it is closed.
	log     *os.File
}

// StartPostgres makes and starts a server from the newest installation found in PATH or
// under /usr/lib/postgresql. As root it runs as the user postgres, since the server
// refuses to run as root.
func StartPostgres() (*PostgresServer, error) {
	s := &PostgresServer{}
	var err error
	if s.programs, err = findPostgres(); err != nil {
		return nil, err
	}
	if s.user, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.folder, err = os.MkdirTemp("", "atozbot-postgres-"); err != nil {
		return nil, err
	}
	if s.user != nil {
		if err := os.Chown(s.folder, int(s.user.Uid), int(s.user.Gid)); err != nil {
			return nil, errors.Join(err, os.RemoveAll(s.folder))
		}
	}
	initdb := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(s.folder))
	}
	if err := s.askPassword(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	if s.port, err = freePort(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	return s, nil
}

// askPassword puts the rule for PasswordRole before the others.
func (s *PostgresServer) askPassword() error {
	path := filepath.Join(s.data(), "pg_hba.conf")
	rules, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte("host all "+PasswordRole+" all scram-sha-256\n"), rules...), 0o600)
}

// DSN addresses the database postgres as its superuser.
func (s *PostgresServer) DSN() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// Addr is the host and port that it listens on.
func (s *PostgresServer) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// Folder is where it keeps everything that it has.
func (s *PostgresServer) Folder() string { return s.folder }

// leashed runs the server until it ends, or until the shell's input does, which comes
// with the end of the process that holds the leash: then the folder goes too.
const leashed = `exec 3<&0
"$0" "$@" </dev/null 3<&- & server=$!
(read -r _ <&3; touch abandoned; kill -INT $server 2>/dev/null) & watcher=$!
wait $server
kill $watcher 2>/dev/null
wait $watcher
if [ -e abandoned ]; then rm -rf "$PWD"; fi`

// Start starts the server again after [PostgresServer.Kill] or [PostgresServer.Halt],
// on the same port, and returns when it answers.
func (s *PostgresServer) Start() error {
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	s.process = s.command("", "-c", leashed,
		filepath.Join(s.programs, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories="+s.folder, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "max_wal_size=256MB", "-c", "autovacuum_naptime=10s")
	s.process.Stdout, s.process.Stderr = log, log
	read, write, err := os.Pipe()
	if err != nil {
		return errors.Join(err, log.Close())
	}
	s.process.Stdin, s.leash, s.log = read, write, log
	if err := s.process.Start(); err != nil {
		return errors.Join(err, read.Close(), write.Close(), log.Close())
	}
	if err := read.Close(); err != nil {
		return err
	}
	return s.await()
}

// await returns when the server answers.
func (s *PostgresServer) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.DSN())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
			return fmt.Errorf("postgres does not answer: %w: %s", err, log)
		case <-ticker.C:
		}
	}
}

// Halt stops the server in order and keeps its data.
func (s *PostgresServer) Halt() error { return s.end(syscall.SIGINT) }

// Kill ends the server and all its processes at once, as a power cut would.
func (s *PostgresServer) Kill() error {
	for _, pid := range s.processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return s.end(syscall.SIGKILL)
}

// Freeze makes the server and all its processes hang, connections and all; Thaw ends it.
func (s *PostgresServer) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *PostgresServer) Thaw() error { return s.signal(syscall.SIGCONT) }

// Stop ends the server and removes its folder.
func (s *PostgresServer) Stop() {
	_ = s.Thaw()
	_ = s.Halt()
	_ = os.RemoveAll(s.folder)
}

func (s *PostgresServer) signal(signal syscall.Signal) error {
	var failed error
	for _, pid := range s.processes() {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (s *PostgresServer) end(signal syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	if pid, err := s.postmaster(); err == nil {
		_ = syscall.Kill(pid, signal)
	}
	_ = s.process.Wait() // The status of a server that was told to end says nothing.
	s.process = nil
	if signal == syscall.SIGKILL {
		_ = os.Remove(filepath.Join(s.data(), "postmaster.pid"))
	}
	return errors.Join(s.leash.Close(), s.log.Close())
}

func (s *PostgresServer) data() string { return filepath.Join(s.folder, "data") }

func (s *PostgresServer) postmaster() (int, error) {
	content, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	return strconv.Atoi(strings.TrimSpace(first))
}

// processes lists the server's first process and its children.
func (s *PostgresServer) processes() []int {
	postmaster, err := s.postmaster()
	if err != nil {
		return nil
	}
	pids := []int{postmaster}
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return pids
	}
	for line := range bytes.Lines(out) {
		var pid, parent int
		if n, _ := fmt.Sscan(string(line), &pid, &parent); n == 2 && parent == postmaster {
			pids = append(pids, pid)
		}
	}
	return pids
}

// command prepares a program of the installation, or the shell where name is empty.
func (s *PostgresServer) command(name string, args ...string) *exec.Cmd {
	path := "/bin/sh"
	if name != "" {
		path = filepath.Join(s.programs, name)
	}
	c := exec.Command(path, args...)
	c.Dir = s.folder
	c.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC", "PGTZ=UTC")
	if s.user != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	}
	return c
}

// findPostgres looks in PATH and where Debian, Alpine and Homebrew put it.
func findPostgres() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/libexec/postgresql*/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		found = append(found, paths...)
	}
	if len(found) == 0 {
		return "", errors.New("initdb is not installed")
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged is the user to run the server as; nil where we are not root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("running as root, and there is no user postgres or nobody to run the server as")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
