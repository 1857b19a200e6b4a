// Package vault seals what must not lie in the database in the clear: the portal's
// password, the addresses of notifications and of calendars.
//
// It stands beside the way through the house. Sealing is AES-256-GCM under a key derived
// with HKDF; the id of what is sealed is bound in, so that one secret cannot be put in
// the place of another, and each carries the id of its key, so that keys can be changed.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Vault seals with one key, and opens what was sealed with any that it was given.
type Vault struct {
	current string
	keys    map[string]cipher.AEAD
}

// ErrUnknownKey says that a secret was sealed with a key that is not here.
var ErrUnknownKey = errors.New("vault: sealed with another key")

// ErrDamaged says that what is to be opened is not what was sealed.
var ErrDamaged = errors.New("vault: not what was sealed")

// New makes a vault. The first key seals; the others only open.
func New(keys ...string) (*Vault, error) {
	v := &Vault{keys: map[string]cipher.AEAD{}}
	for _, key := range keys {
		if key == "" {
			return nil, errors.New("vault: a key is empty")
		}
		id, sealing, err := derive(key)
		if err != nil {
			return nil, err
		}
		if v.current == "" {
			v.current = id
		}
		v.keys[id] = sealing
	}
	if v.current == "" {
		return nil, errors.New("vault: no key")
	}
	return v, nil
}

// derive makes the key that seals, and its id, of what the user set. Neither tells
// anything of the other.
func derive(key string) (id string, sealing cipher.AEAD, err error) {
	name, err := hkdf.Key(sha256.New, []byte(key), nil, "atozbot key id", 8)
	if err != nil {
		return "", nil, err
	}
	raw, err := hkdf.Key(sha256.New, []byte(key), nil, "atozbot secrets at rest", 32)
	if err != nil {
		return "", nil, err
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return "", nil, err
	}
	// The nonces are random and made by the cipher: 2^32 of them are safe under one key.
	sealing, err = cipher.NewGCMWithRandomNonce(block)
	return hex.EncodeToString(name), sealing, err
}

// KeyID is the id of the key that seals.
func (v *Vault) KeyID() string { return v.current }

// Seal seals a text as the secret with this id.
func (v *Vault) Seal(id, text string) (keyID string, sealed []byte) {
	return v.current, v.keys[v.current].Seal(nil, nil, []byte(text), []byte(id))
}

// Open gives the text of the secret with this id. The errors are [ErrUnknownKey] and
// [ErrDamaged].
func (v *Vault) Open(id, keyID string, sealed []byte) (string, error) {
	sealing, ok := v.keys[keyID]
	if !ok {
		return "", ErrUnknownKey
	}
	text, err := sealing.Open(nil, nil, sealed, []byte(id))
	if err != nil {
		return "", ErrDamaged
	}
	return string(text), nil
}

// keyBytes is how long a key that is made here is.
const keyBytes = 32

// KeyFile gives the key in a file, which is made where it is not there. Nobody but its
// owner can read it.
func KeyFile(path string) (string, error) {
	key, err := readKey(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	var raw [keyBytes]byte
	_, _ = rand.Read(raw[:]) // crypto/rand.Read never fails: it ends the process instead.
	// The file is whole or not there: a half-written key would lose every secret.
	made, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(made.Name())
	_, writeErr := made.WriteString(hex.EncodeToString(raw[:]) + "\n")
	if err := errors.Join(writeErr, made.Chmod(0o600), made.Sync(), made.Close()); err != nil {
		return "", err
	}
	// A link fails where another process was quicker; then its key counts.
	if err := os.Link(made.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(made.Name(), path); err != nil { // A file system without links.
			return "", err
		}
	}
	return readKey(path)
}

func readKey(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(content))
	if key == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return key, nil
}
