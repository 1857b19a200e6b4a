package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/atozbot/atozbot/app/config"
)

// ErrTold says that a command failed and has already said why.
var ErrTold = errors.New("it was told already")

// ErrMisused says that what was asked for cannot be, whatever the state of things: it is
// a mistake of the command line, and nothing was started.
var ErrMisused = errors.New("nothing was started")

// Build is what the program says about itself.
type Build struct {
	Version, Commit, Go string
}

// BuildOf takes what the linker was told, and fills in what it was not from what the Go
// toolchain noted.
func BuildOf(version, commit string) Build {
	b := Build{Version: version, Commit: commit, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if ok && b.Commit == "" {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				b.Commit = setting.Value
			}
		}
	}
	if b.Version == "" {
		b.Version = "dev"
	}
	if b.Commit == "" {
		b.Commit = "unknown"
	}
	return b
}

// Process is one run of the program: what it was told, and where it may write.
type Process struct {
	Settings config.Settings
	Build    Build
	Mistakes error    // Of the settings, for commands that report them themselves.
	Warnings []string // About the settings; for the log.
	Stdout   io.Writer
	Stderr   io.Writer
}

// Version prints what was built.
func (p Process) Version() error {
	_, err := fmt.Fprintf(p.Stdout, "atozbot %s\ncommit %s\n%s %s/%s\n", p.Build.Version, p.Build.Commit, p.Build.Go, runtime.GOOS, runtime.GOARCH)
	return err
}

// prepareFolder makes the data folder, readable by its owner alone, and sees whether it
// can be written to. A folder that never can is a wrong setting; a full disk is not: it
// may have room again, and until then the program says so.
func prepareFolder(folder string) error {
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(folder, ".writable-*"); err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	if err == nil || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO) {
		return nil
	}
	reason := err.Error()
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		reason = path.Err.Error()
	}
	return config.Mistakes{{
		Name: "ATOZBOT_DATA_DIR", Reason: fmt.Sprintf("%q cannot be written to: %s; name a folder of this user, or change its rights", folder, reason),
	}}
}
