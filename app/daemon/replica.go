package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// replica is who this process is to the others that share its database. A process keeps
// its name over restarts, so that it gets its own lease back at once after a crash and is
// not taken for another one that may still be at work.
type replica struct {
	id   string
	lock *os.File // Held while the process lives; nil where the folder's name is taken.
}

// thisReplica reads the name from the data folder, or makes one. Where another process
// uses the same folder, this one gets a name for this run only.
func thisReplica(folder string, now time.Time) (replica, error) {
	lock, err := lockFile(filepath.Join(folder, "replica.lock"))
	if err != nil {
		return replica{id: newReplicaID(now)}, nil //nolint:nilerr // Taken, or a system without locks: a fresh name is right for both.
	}
	path := filepath.Join(folder, "replica")
	known, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(known)); err == nil && replicaID().MatchString(id) {
		return replica{id: id, lock: lock}, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return replica{id: newReplicaID(now), lock: lock}, nil
	}
	id := newReplicaID(now)
	// A name that cannot be kept costs a wait for the old lease after a crash, no more.
	return replica{id: id, lock: lock}, os.WriteFile(path, []byte(id+"\n"), 0o600)
}

func (r replica) leave() {
	if r.lock != nil {
		_ = r.lock.Close() // The end of the process would do the same.
	}
}

func replicaID() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-zA-Z._-]{4,100}$`) }

// newReplicaID is the machine's name, for people, and something that nobody else has.
func newReplicaID(now time.Time) string {
	host, err := os.Hostname()
	if err != nil || !replicaID().MatchString(host) || len(host) > 40 {
		host = "replica"
	}
	id := app.NewID(now)
	return host + "-" + id[len(id)-8:]
}
