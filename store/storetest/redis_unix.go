//go:build unix

package storetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// RedisURL is the environment variable that names a Redis for tests.
const RedisURL = "ATOZBOT_TEST_REDIS_URL"

// RedisServer is a Redis of one's own, on a free port of the loopback, that keeps
// nothing. It ends when the process that started it ends, however that ends.
type RedisServer struct {
	program string
	port    int
	process *exec.Cmd
	leash   io.Closer
}

// StartRedis starts a redis-server found in PATH.
func StartRedis() (*RedisServer, error) {
	s := &RedisServer{}
	var err error
	if s.program, err = exec.LookPath("redis-server"); err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	return s, s.Start()
}

// Redis gives the URL of the Redis of the environment, or of one that is started for
// the test. It skips the test where there is neither, and fails it where CI=true.
func Redis(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv(RedisURL); url != "" {
		return url
	}
	server, err := StartRedis()
	if err != nil {
		Missing(tb, "Redis: "+err.Error())
	}
	tb.Cleanup(server.Stop)
	return server.URL()
}

// URL addresses its database 0.
func (s *RedisServer) URL() string { return "redis://" + s.Addr() + "/0" }

// Addr is the host and port that it listens on.
func (s *RedisServer) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// Start starts it again after [RedisServer.Kill], on the same port, and returns when it
// answers.
func (s *RedisServer) Start() error {
	s.process = exec.Command("/bin/sh", "-c", `exec 3<&0; "$0" "$@" </dev/null 3<&- & p=$!; (read -r _ <&3; kill -KILL $p 2>/dev/null) & w=$!; wait $p; kill $w 2>/dev/null; wait $w`,
		s.program, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", os.TempDir(), "--logfile", os.DevNull)
	in, err := s.process.StdinPipe()
	if err != nil {
		return err
	}
	s.leash = in
	if err := s.process.Start(); err != nil {
		return err
	}
	return s.await()
}

func (s *RedisServer) await() error {
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if s.ping() == nil {
			return nil
		}
		select {
		case <-deadline.C:
			return errors.New("redis-server does not answer")
		case <-ticker.C:
		}
	}
}

func (s *RedisServer) ping() error {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprint(conn, "PING\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "+PONG") {
		err = errors.New(strings.TrimSpace(line))
	}
	return err
}

// Freeze makes it hang, connections and all; Thaw ends it.
func (s *RedisServer) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *RedisServer) Thaw() error { return s.signal(syscall.SIGCONT) }

// Kill ends it at once.
func (s *RedisServer) Kill() error {
	if s.process == nil {
		return nil
	}
	err := s.leash.Close() // Its watcher kills it.
	_ = s.process.Wait()   // The status of a killed server says nothing.
	s.process = nil
	return err
}

// Stop ends it for good.
func (s *RedisServer) Stop() {
	_ = s.Thaw()
	_ = s.Kill()
}

func (s *RedisServer) signal(signal syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,comm=").Output()
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(out)) {
		var pid, parent int
		var name string
		if n, _ := fmt.Sscan(line, &pid, &parent, &name); n == 3 && parent == s.process.Process.Pid && name != "sh" {
			return syscall.Kill(pid, signal)
		}
	}
	return errors.New("the process of redis-server is not found")
}
