//go:build !unix

package daemon

import (
	"errors"
	"os"
)

// lockFile has no lock to take on this system.
func lockFile(string) (*os.File, error) { return nil, errors.ErrUnsupported }
