package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"
)

// hidden is what stands in the place of a secret.
const hidden = "[hidden]"

// Secret is a text that no output shows. The text lies behind a pointer, so that even
// printing a struct that holds one in a private field shows an address at most.
type Secret struct{ text *string }

// NewSecret wraps a text. The empty text is no secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal gives the text to the one place that needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet tells whether there is a text.
func (s Secret) IsSet() bool { return s.text != nil }

// String says only whether there is one.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return hidden
}

// Format answers every verb, so that a wrong one does not print the text either.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue keeps the text out of the log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the text out of JSON and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// DatabaseURL says which database to use. Its password is never shown.
type DatabaseURL struct {
	Secret
	shown    string // The same without its password.
	password Secret
	path     string // Of the SQLite file.
}

// IsPostgres tells PostgreSQL from SQLite.
func (d DatabaseURL) IsPostgres() bool { return d.IsSet() && d.path == "" }

// Path is the SQLite file's; "" for PostgreSQL and where nothing is set.
func (d DatabaseURL) Path() string { return d.path }

// String gives the address without its password.
func (d DatabaseURL) String() string { return d.shown }

// Format answers every verb like String.
func (d DatabaseURL) Format(f fmt.State, _ rune) { fmt.Fprint(f, d.shown) }

// LogValue keeps the password out of the log.
func (d DatabaseURL) LogValue() slog.Value { return slog.StringValue(d.shown) }

// MarshalText keeps the password out of JSON and its like.
func (d DatabaseURL) MarshalText() ([]byte, error) { return []byte(d.shown), nil }

// parse reads the address. No part of it stands in its mistakes: what is malformed can
// hold a piece of the password anywhere.
func (d *DatabaseURL) parse(text string) error {
	*d = DatabaseURL{}
	scheme, rest, _ := strings.Cut(text, ":")
	switch strings.ToLower(scheme) {
	case "sqlite":
		if rest == "" || strings.HasPrefix(rest, ":memory:") || strings.HasPrefix(rest, "file:") || strings.ContainsRune(rest, 0) {
			return fmt.Errorf("needs the path of a file after sqlite:, as in sqlite:./data/atozbot.db")
		}
		*d = DatabaseURL{Secret: NewSecret(text), shown: text, path: rest}
		return nil
	case "postgres", "postgresql":
	default:
		if strings.HasPrefix(scheme, "postgres") {
			return fmt.Errorf("begins with %q; write postgresql://user:password@host:5432/name", scheme+":")
		}
		return fmt.Errorf("must begin with postgres://, postgresql:// or sqlite:")
	}
	if !strings.HasPrefix(rest, "//") {
		return fmt.Errorf("must begin with postgres://, postgresql:// or sqlite:")
	}
	text = strings.ToLower(scheme) + ":" + rest
	parsed, err := pgconn.ParseConfig(text)
	if err != nil {
		return fmt.Errorf("is no address of a PostgreSQL database: %s", unreadable(err))
	}
	shown := url.URL{Scheme: "postgres", Host: fmt.Sprintf("%s:%d", parsed.Host, parsed.Port), Path: "/" + parsed.Database}
	if strings.Contains(parsed.Host, ":") {
		shown.Host = fmt.Sprintf("[%s]:%d", parsed.Host, parsed.Port)
	}
	if parsed.User != "" {
		shown.User = url.User(parsed.User)
	}
	*d = DatabaseURL{Secret: NewSecret(text), shown: shown.String(), password: NewSecret(parsed.Password)}
	return nil
}

// unreadable says what is wrong with a PostgreSQL address without repeating any of it.
func unreadable(err error) string {
	said := err.Error()
	said = said[strings.LastIndex(said, "`: ")+1:]
	for _, known := range []struct{ begins, means string }{
		{": invalid port", "its port is no number from 1 to 65535"},
		{": invalid connect_timeout", "connect_timeout is no number of seconds"},
		{": failed to configure TLS", "its TLS options (sslmode, sslrootcert, sslcert, sslkey) cannot be used"},
		{": unknown target_session_attrs", "target_session_attrs has a value that is not known"},
		{": unknown channel_binding", "channel_binding has a value that is not known"},
		{": failed to read service", "the service that it names cannot be read"},
		{": could not match", "it has not as many ports as hosts"},
	} {
		if strings.HasPrefix(said, known.begins) {
			return known.means
		}
	}
	return "characters such as @ : / ? # % in the user's name or the password must be percent-encoded"
}

// RedisURL says which Redis to use. Its password is never shown.
type RedisURL struct {
	Secret
	shown    string
	password Secret
	memory   bool
}

// InMemory tells whether Redis is to run inside the process.
func (r RedisURL) InMemory() bool { return r.memory || !r.IsSet() }

// String gives the address without its password.
func (r RedisURL) String() string { return r.shown }

// Format answers every verb like String.
func (r RedisURL) Format(f fmt.State, _ rune) { fmt.Fprint(f, r.shown) }

// LogValue keeps the password out of the log.
func (r RedisURL) LogValue() slog.Value { return slog.StringValue(r.shown) }

// MarshalText keeps the password out of JSON and its like.
func (r RedisURL) MarshalText() ([]byte, error) { return []byte(r.shown), nil }

func (r *RedisURL) parse(text string) error {
	*r = RedisURL{}
	scheme, rest, _ := strings.Cut(text, ":")
	switch strings.ToLower(scheme) {
	case "memory":
		if strings.Trim(rest, "/") != "" {
			return fmt.Errorf("memory: takes nothing after it")
		}
		*r = RedisURL{Secret: NewSecret(text), shown: "memory:", memory: true}
		return nil
	case "redis", "rediss":
	default:
		return fmt.Errorf("must begin with redis:// or rediss://, or be memory:")
	}
	if !strings.HasPrefix(rest, "//") {
		return fmt.Errorf("must begin with redis:// or rediss://, or be memory:")
	}
	text = strings.ToLower(scheme) + ":" + rest
	options, err := redis.ParseURL(text)
	if err != nil {
		return fmt.Errorf("is no address of a Redis: redis://user:password@host:6379/0, with characters such as @ : / ? # %% percent-encoded")
	}
	shown := url.URL{Scheme: strings.ToLower(scheme), Host: options.Addr, Path: fmt.Sprintf("/%d", options.DB)}
	if options.Username != "" {
		shown.User = url.User(options.Username)
	}
	*r = RedisURL{Secret: NewSecret(text), shown: shown.String(), password: NewSecret(options.Password)}
	return nil
}
