package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one program that the harness started and ends by its own process group.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // Closed when the program has ended.
	err  error         // How it ended; to be read after done.
	at   time.Time     // When it was started.
}

// startProcess starts cmd in a process group of its own, with its output at the end of
// the file log.
func startProcess(cmd *exec.Cmd, log string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = file, file
	p := &process{cmd: cmd, done: make(chan struct{}), at: time.Now()}
	if err := cmd.Start(); err != nil {
		_ = file.Close()
		return nil, err
	}
	go func() { // Ends with the program.
		defer close(p.done)
		defer file.Close()
		p.err = cmd.Wait()
	}()
	return p, nil
}

// ended tells whether the program has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end sends a signal to the program and waits for its end, 15 s at most.
func (p *process) end(signal syscall.Signal) error {
	if p == nil || p.ended() {
		return nil
	}
	_ = p.signalFamily(syscall.SIGCONT) // A frozen program hears nothing.
	if err := p.cmd.Process.Signal(signal); err != nil {
		return err
	}
	limit := time.NewTimer(15 * time.Second)
	defer limit.Stop()
	select {
	case <-p.done:
		return nil
	case <-limit.C:
		return fmt.Errorf("%s did not end within 15 s", p.cmd.Path)
	}
}

// killGroup ends the program and its children at once.
func (p *process) killGroup() error {
	if p == nil || p.ended() {
		return nil
	}
	family := p.family()
	for _, pid := range family {
		_ = syscall.Kill(pid, syscall.SIGKILL) // One that ended in between is gone all the same.
	}
	<-p.done
	return nil
}

// signalFamily sends a signal to the program and to every process below it: the
// children of PostgreSQL make process groups of their own.
func (p *process) signalFamily(signal syscall.Signal) error {
	if p == nil || p.ended() {
		return nil
	}
	for _, pid := range p.family() {
		if err := syscall.Kill(pid, signal); err != nil && err != syscall.ESRCH {
			return err
		}
	}
	return nil
}

// family gives the program's process id and those of its children, from the process
// table: not every kernel lists children by their parent.
func (p *process) family() []int {
	parent := p.cmd.Process.Pid
	all := []int{parent}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return all
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // It ended in between.
		}
		// The name in brackets may hold anything; the parent is the second word after it.
		rest := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(rest) > 1 && rest[1] == strconv.Itoa(parent) {
			all = append(all, pid)
		}
	}
	return all
}
